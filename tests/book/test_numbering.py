from llmcourse.book.numbering import by_chapter, chapter_number


def test_a_chapter_is_known_by_its_file_name() -> None:
    assert chapter_number("chapters/06-attention") == 6
    assert chapter_number("12-fine-tuning") == 12
    assert chapter_number("index") is None
    assert chapter_number("chapters/six") is None


def test_figures_count_within_their_chapter_and_kinds_count_apart() -> None:
    running = {
        "chapters/04-tokens": {"figure": {"fig-a": (1,), "fig-b": (2,)}, "displaymath": {"eq-a": (1,)}},
        "chapters/06-attention": {"figure": {"fig-c": (3,)}, "displaymath": {"eq-b": (2,)}},
        "index": {"figure": {"fig-d": (4,)}},
    }
    assert by_chapter(running) == {
        "chapters/04-tokens": {"figure": {"fig-a": (4, 1), "fig-b": (4, 2)}, "displaymath": {"eq-a": (4, 1)}},
        "chapters/06-attention": {"figure": {"fig-c": (6, 1)}, "displaymath": {"eq-b": (6, 1)}},
        "index": {"figure": {"fig-d": (4,)}},
    }
