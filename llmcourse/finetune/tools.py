"""Tools: the assistant writes a call, a program does the work, and the assistant answers with what came back."""

from collections.abc import Callable, Mapping, Sequence

from torch import nn

from llmcourse.finetune.sft import ChatTemplate, Role, Turn, encode_prompt, marker_id, speak
from llmcourse.tokenizers import ByteBPE

Tool = Callable[[str], str]

TOOL_ROLES: tuple[Role, Role] = ("call", "result")
TOOL_MARKERS = ("<|call|>", "<|result|>")
TOOL_TEMPLATE = ChatTemplate(call=TOOL_MARKERS[0], result=TOOL_MARKERS[1])


def run_call(call: str, tools: Mapping[str, Tool]) -> str:
    """What the tool that the call names gives back for the rest of the call.

    A call of no known tool, or one that its tool refuses with a ValueError, is the model's mistake and not the
    program's: the model is told, and may try again.
    """
    name, _, rest = call.partition(" ")
    if name not in tools:
        return f"no tool {name!r}; there are {', '.join(tools)}"
    try:
        return tools[name](rest)
    except ValueError as error:
        return f"error: {error}"


def converse(
    model: nn.Module,
    tokenizer: ByteBPE,
    texts: Sequence[str],
    tools: Mapping[str, Tool],
    *,
    template: ChatTemplate = TOOL_TEMPLATE,
    max_calls: int = 2,
    max_new_tokens: int = 32,
) -> list[list[Turn]]:
    """The chat that follows each text: calls with their results, as many as the model makes, and its answer; greedy.

    Whoever has made `max_calls` calls gets no further one answered: its last call then stands as its answer.
    Raises: ValueError where the template has no marker for calls or results, or the tokenizer lacks one.
    """
    for role in TOOL_ROLES:
        marker_id(tokenizer, template.marker(role))
    chats = [[Turn("user", text)] for text in texts]
    end = marker_id(tokenizer, template.end)
    waiting = list(range(len(chats)))
    for n_made in range(max_calls + 1):
        prompts = [encode_prompt(chats[i], tokenizer, template) for i in waiting]
        said = speak(model, prompts, end, max_new_tokens=max_new_tokens)
        calling = []
        for i, tokens in zip(waiting, said, strict=True):
            call = call_in(tokens, tokenizer, template)
            if call is None or n_made == max_calls:
                text = tokenizer.decode(tokens).removeprefix(template.gap)
                chats[i].append(Turn("assistant", text))
            else:
                chats[i] += [Turn("call", call), Turn("result", run_call(call, tools))]
                calling.append(i)
        waiting = calling
        if not waiting:
            break
    return chats


def call_in(tokens: Sequence[int], tokenizer: ByteBPE, template: ChatTemplate) -> str | None:
    """The call that the model made, and None where it answered: a call begins with its marker."""
    if not tokens or tokens[0] != marker_id(tokenizer, template.marker("call")):
        return None
    return tokenizer.decode(tokens[1:]).removeprefix(template.gap)
