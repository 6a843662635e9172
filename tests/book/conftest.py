"""Fixtures of the book's tests."""

from tests.book.fixtures import built_book

__all__ = ["built_book"]
