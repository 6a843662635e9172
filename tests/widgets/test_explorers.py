"""What an explorer carries into a page, and what it refuses."""

import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from llmcourse.insight import capture_attention
from llmcourse.model import Rotary, Transformer, TransformerConfig
from llmcourse.plots import style
from llmcourse.tokenizers import ByteBPE
from llmcourse.widgets import AttentionExplorer, SamplingExplorer, Step, true_next_tokens
from llmcourse.widgets.static import assets, safe_json, to_html
from llmcourse.world import World
from tests.widgets.examples import TOKENS, attention, sampling, weights


def page_of(explorer) -> str:
    """The HTML that the explorer puts beside its live view."""
    return explorer._repr_mimebundle_()[0]["text/html"]


class Structure(HTMLParser):
    """Which tags a page opens, and what its JSON scripts hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.data: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        if self.tags[-1:] == ["script"]:
            self.data.append(data)


@pytest.mark.parametrize("make", [sampling, attention])
def test_the_page_carries_the_state_and_a_table_beside_the_live_view(make):
    explorer = make()
    data, _ = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    structure = Structure(data["text/html"])
    assert json.loads(structure.data[0]) == explorer.state()
    assert {"table", "caption", "th"} <= set(structure.tags)


def test_text_of_the_state_cannot_break_out_of_its_script():
    structure = Structure(page_of(sampling()))
    assert structure.tags.count("script") == 1
    assert "b" not in structure.tags  # the context holds <b>, as text
    hostile = {"text": "</script><!-- <script> & \u2028"}
    assert not re.search("[<>&\u2028]", safe_json(hostile))
    assert json.loads(safe_json(hostile)) == hostile
    with pytest.raises(ValueError, match="JSON"):
        to_html("x", {"bad": float("nan")}, "")


def test_the_state_names_every_trait_that_the_modules_read():
    for explorer, name in ((sampling(), "sampling"), (attention(), "attention")):
        read = set(re.findall(r'model\.get\("(\w+)"\)', assets()[f"{name}.js"]))
        assert read
        assert read <= set(explorer.STATE)
        assert set(explorer.STATE) <= set(explorer.keys)


def test_scripts_of_a_page_need_no_module_and_no_other_host():
    files = assets()
    assert list(files) == ["explorers.css", "sampling.js", "attention.js", "mount.js"]
    for name, text in files.items():
        assert not re.search(r"^\s*(import|export)\b|https?://|url\(", text, flags=re.MULTILINE), name


def test_the_style_uses_the_colours_of_the_figures():
    css = assets()["explorers.css"]
    light, dark = css.split('html[data-theme="dark"]', 1)
    names = [
        ("ink", style.INK),
        ("muted", style.MUTED),
        ("grid", style.GRID),
        ("model", style.MODEL),
        ("true", style.TRUTH),
    ]
    for name, colour in names:
        assert f"--llmc-{name}: {colour}" in light
        assert f"--llmc-{name}: {style.DARK[colour]}" in dark
    assert "--llmc-shade: 31 111 181" in css
    assert style.SHADE == "#1f6fb5"


def test_the_style_touches_only_our_own_classes():
    rules = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", assets()["explorers.css"], flags=re.DOTALL))
    for selector in rules:
        for part in selector.split(",\n"):
            assert "@media" in part or ".llmc-" in part, part
        classes = set(re.findall(r"\.([a-zA-Z][\w-]*)", selector))
        hosts = {"vscode-dark", "bd-content", "cell_output", "output", "text_html"}  # only where they hold one of ours
        assert all(each.startswith("llmc-") for each in classes - hosts), selector


def test_logits_keep_four_decimals_and_the_truth_names_only_what_can_come():
    step = sampling().steps[0]
    assert step["truth"] == {"0": 0.2, "1": 0.5, "2": 0.3}
    expected = np.random.default_rng(0).normal(0, 2, len(TOKENS))
    assert np.abs(np.array(step["logits"]) - expected).max() <= 0.5e-4 + 1e-12


def test_attention_weights_are_within_half_a_step_of_a_byte():
    explorer = attention()
    packed = np.frombuffer(base64.b64decode(explorer.weights), dtype=np.uint8).reshape(2, 3, 5, 5)
    assert np.abs(packed / 255 - weights()).max() <= 0.5 / 255 + 1e-9
    assert explorer.token == 4


def test_the_table_of_attention_tells_what_heads_do():
    previous = np.eye(4, k=-1)
    previous[0, 0] = 1
    page = page_of(AttentionExplorer(["a", "b", "c", "d"], previous[None, None]))
    cells = re.findall(r"<td>([^<]*)</td>", page)
    assert cells[:2] == ["0.000", "1.000"]  # on itself, on the token before
    assert cells[2] == f"{1 / 3:.3f}"  # the second token's token before is the first
    assert cells[3].startswith("“c” 1.00")


def tiny(vocab_size: int) -> Transformer:
    """An untrained model."""
    return Transformer(
        TransformerConfig(vocab_size=vocab_size, d_model=16, d_ff=32, n_decoder_layers=2, n_heads=2, position=Rotary())
    )


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.fixture(scope="module")
def tokenizer(world) -> ByteBPE:
    texts = [document.text for document in world.documents(40)]
    return ByteBPE.train(texts, 400, specials=("<|end|>",))


def test_true_next_tokens_add_up_the_words_that_start_with_them(world, tokenizer):
    text = world.documents(1, seed=5)[0].text
    for n_words in (0, 1, 7, 20):
        context = " ".join(text.split(" ")[:n_words])
        truth = true_next_tokens(world, tokenizer, context)
        assert truth.sum() == pytest.approx(1)
        for word, probability in world.next_word_probs(context).items():
            first = tokenizer.encode(f" {word}" if context else word)[0]
            assert truth[first] >= probability - 1e-12
    assert true_next_tokens(world, tokenizer, text)[tokenizer.special_id("<|end|>")] == pytest.approx(1)


def test_an_explorer_of_a_model_shows_that_models_logits(world, tokenizer):
    model = tiny(tokenizer.vocab_size)
    context = " ".join(world.documents(1, seed=5)[0].text.split(" ")[:6])
    explorer = SamplingExplorer.of(model, tokenizer, world, [context], temperature=0.5)
    ids = torch.tensor([[tokenizer.special_id("<|end|>"), *tokenizer.encode(context)]])
    expected = model(ids)[0, -1].detach().numpy()
    assert np.abs(np.array(explorer.steps[0]["logits"]) - expected).max() < 1e-4
    assert explorer.temperature == 0.5


def test_an_explorer_of_a_model_shows_that_models_attention(tokenizer):
    model = tiny(tokenizer.vocab_size)
    explorer = AttentionExplorer.of(model, tokenizer, "On a grey day")
    ids = [tokenizer.special_id("<|end|>"), *tokenizer.encode("On a grey day")]
    with capture_attention(model) as captured:
        model(torch.tensor([ids]))
    packed = np.frombuffer(base64.b64decode(explorer.weights), dtype=np.uint8).reshape(2, 2, len(ids), len(ids))
    assert np.abs(packed / 255 - torch.stack(captured)[:, 0].numpy()).max() <= 0.5 / 255 + 1e-6
    assert "".join(explorer.tokens) == "<|end|>On a grey day"


@pytest.mark.parametrize(("make", "words"), [
    (lambda: SamplingExplorer([]), "at least one step"),
    (lambda: SamplingExplorer([Step("", ["a", "b"], [0.0])]), "one finite logit"),
    (lambda: SamplingExplorer([Step("", ["a"], [float("-inf")])]), "one finite logit"),
    (lambda: SamplingExplorer([Step("", ["a", "b"], [0, 0], [0.5, 0.6])]), "distribution"),
    (lambda: SamplingExplorer([Step("", ["a"], [0]), Step("", ["b"], [0])]), "share one list"),
    (lambda: SamplingExplorer([Step("", ["a"] * 5000, [0] * 5000)]), "at most 4096"),
    (lambda: AttentionExplorer(["a"], [[[[2.0]]]]), "between 0 and 1"),
    (lambda: AttentionExplorer(["a", "b"], [[[[1.0]]]]), "layers x heads x 2 x 2"),
])  # fmt: skip
def test_numbers_that_make_no_sense_are_refused(make, words):
    with pytest.raises(ValueError, match=words):
        make()
