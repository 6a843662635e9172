"""Trained models and their recipes: those that come with the course, and those that you make."""

from llmcourse.hub.bundle import Bundle, bundled, load_bundle, save_bundle
from llmcourse.hub.recipes import RECIPES, Recipe, held_out_texts, make, prepare, recipe
from llmcourse.hub.score import Score, score
from llmcourse.hub.text import TextScore, make_from_text
from llmcourse.hub.write import write_on

__all__ = [
    "RECIPES",
    "Bundle",
    "Recipe",
    "Score",
    "TextScore",
    "bundled",
    "held_out_texts",
    "load_bundle",
    "make",
    "make_from_text",
    "prepare",
    "recipe",
    "save_bundle",
    "score",
    "write_on",
]
