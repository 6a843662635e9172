"""Texts to train on: the microworld, what every Python install carries, and the usual public corpora."""

from llmcourse.data.corpora.catalogue import ABOUT, NAMES, Corpus, load

__all__ = ["ABOUT", "NAMES", "Corpus", "load"]
