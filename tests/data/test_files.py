import pytest

from llmcourse.data import atomic_path, read_text


def test_text_comes_back_with_plain_line_ends_and_no_byte_order_mark(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffüber\r\nall\rdone\n".encode())
    assert read_text(path) == "über\nall\ndone\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("naïve".encode("latin-1"), r"byte 2 is 0xef.*iconv"),
        (b"", "is empty"),
        (b" \n\n", "is empty"),
        ("text".encode("utf-16"), r"byte 0 is 0xff"),
    ],
)
def test_a_file_that_holds_no_text_gets_one_line_that_says_what_to_do(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as error:
        read_text(path)
    assert "a.txt" in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path):
    with pytest.raises(ValueError, match=r"no file .*gone\.txt"):
        read_text(tmp_path / "gone.txt")
    with pytest.raises(ValueError, match="is a folder"):
        read_text(tmp_path)


def test_a_write_that_fails_midway_leaves_the_old_file_and_no_scratch(tmp_path):
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def tear():
        with atomic_path(path) as scratch:
            scratch.write_text("half of the n")
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        tear()
    assert path.read_text() == "old"
    assert [each.name for each in tmp_path.iterdir()] == ["kept.txt"]


def test_a_whole_write_replaces_the_old_file_and_makes_its_folder(tmp_path):
    path = tmp_path / "new" / "file.txt"
    for text in ("one", "two"):
        with atomic_path(path) as scratch:
            scratch.write_text(text)
        assert path.read_text() == text
    assert [each.name for each in path.parent.iterdir()] == ["file.txt"]
