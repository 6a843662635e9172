"""What `llmcourse generate` may be told, each with the words that `--help` shows."""

from typing import Annotated

from typer import Argument, Option

REPEAT, SEARCH, FASTER = "Against repetition", "Beam search, which draws nothing", "Speed and size"

Prompt = Annotated[str, Argument(help="The beginning, which the model writes on from.")]
Model = Annotated[str, Option(help="A model of the course, or a folder that `train` made.")]
MaxNewTokens = Annotated[int, Option(min=1, help="Tokens at most.")]
Seed = Annotated[int, Option(help="The same seed draws the same text.")]
Stop = Annotated[list[str] | None, Option(help="End before this text; may be given several times.")]

Temperature = Annotated[float, Option(help="Below 1 safer, above 1 wilder; 0 takes the likeliest.")]
TopK = Annotated[int | None, Option(help="Draw from the k likeliest tokens only.")]
TopP = Annotated[float | None, Option(help="Draw from the fewest tokens that hold this mass, such as 0.9.")]
MinP = Annotated[float | None, Option(help="Leave out tokens below this share of the likeliest, such as 0.05.")]

RepetitionPenalty = Annotated[
    float | None,
    Option(help="Divide the scores of tokens that were used already by this, such as 1.2.", rich_help_panel=REPEAT),
]
PresencePenalty = Annotated[
    float | None,
    Option(help="Subtract this from the scores of tokens that were used already.", rich_help_panel=REPEAT),
]
FrequencyPenalty = Annotated[
    float | None,
    Option(help="Subtract this from a token's score for each time that it was used.", rich_help_panel=REPEAT),
]
NoRepeatNgram = Annotated[
    int | None, Option(help="Let no run of this many tokens come a second time.", rich_help_panel=REPEAT)
]

Beams = Annotated[
    int | None, Option(help="Follow this many texts at once and keep the likeliest.", rich_help_panel=SEARCH)
]
NBest = Annotated[int, Option(min=1, help="Print this many of the best, each with its score.", rich_help_panel=SEARCH)]
LengthPenalty = Annotated[
    float,
    Option(help="Above 0 favours longer texts: scores are divided by length to this power.", rich_help_panel=SEARCH),
]
EarlyStopping = Annotated[
    bool,
    Option("--early-stopping", help="Stop as soon as there are as many whole texts as beams.", rich_help_panel=SEARCH),
]

Draft = Annotated[
    str | None,
    Option(help="A smaller model that guesses ahead; the text stays that of --model.", rich_help_panel=FASTER),
]
Int8 = Annotated[
    bool,
    Option(
        "--int8", help="Keep weights in 8 bits: a quarter of the memory, a little less exact.", rich_help_panel=FASTER
    ),
]
