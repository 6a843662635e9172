"""Trained models: those that come with the course, those that you make, and those that the world publishes."""

from llmcourse.hub.bundle import Bundle, bundled, load_bundle, save_bundle
from llmcourse.hub.excess import Share, WordSurprise, shares, word_surprises
from llmcourse.hub.published import load, load_tokenizer, save
from llmcourse.hub.recipes import RECIPES, Recipe, held_out_texts, make, prepare, recipe
from llmcourse.hub.score import Score, score
from llmcourse.hub.text import TextScore, make_from_text
from llmcourse.hub.write import write_on

__all__ = [
    "RECIPES",
    "Bundle",
    "Recipe",
    "Score",
    "Share",
    "TextScore",
    "WordSurprise",
    "bundled",
    "held_out_texts",
    "load",
    "load_bundle",
    "load_tokenizer",
    "make",
    "make_from_text",
    "prepare",
    "recipe",
    "save",
    "save_bundle",
    "score",
    "shares",
    "word_surprises",
    "write_on",
]
