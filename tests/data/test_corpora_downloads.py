import hashlib
import json
import logging
import socket
import typing

import pytest

from llmcourse.data.corpora.downloads import CHECKSUMS, FOLDER_VARIABLE, Source, cache_folder, fetch
from llmcourse.data.corpora.transfer import Transfer, TransferError
from tests.data.corpus_server import serving

CONTENT = bytes(range(256)) * 2_000  # several chunks of a transfer
OTHER = CONTENT[::-1]


@pytest.fixture
def site():
    with serving() as running:
        running.files["/a.bin"] = CONTENT
        yield running


@pytest.fixture
def get(site, tmp_path):
    """Fetch a.bin into the cache; what is given stands in its source."""

    def run(tries=1, **source):
        return fetch("made", [Source(f"{site.url}/a.bin", "a.bin", **source)], tmp_path, progress=False, tries=tries)[0]

    return run


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def sha256(content):
    return hashlib.sha256(content).hexdigest()


# -- checksums -----------------------------------------------------------------------------------------------------
def test_the_first_download_records_its_checksum_and_the_second_load_asks_nobody(site, get, tmp_path):
    assert get().read_bytes() == CONTENT
    assert json.loads((tmp_path / CHECKSUMS).read_text()) == {"made/a.bin": sha256(CONTENT)}
    assert get().read_bytes() == CONTENT
    assert len(site.requests) == 1
    assert names(tmp_path) == ["a.bin", CHECKSUMS]


def test_a_damaged_copy_is_fetched_again(site, get):
    path = get()
    path.write_bytes(CONTENT[:-1] + b"?")
    assert get().read_bytes() == CONTENT
    assert len(site.requests) == 2


def test_a_file_that_changed_at_its_place_is_refused_until_its_record_is_deleted(site, get, tmp_path):
    get().unlink()
    site.files["/a.bin"] = OTHER
    with pytest.raises(ValueError, match=r"no longer sends the file .* delete the entry 'made/a.bin' from .*checksums"):
        get()
    assert names(tmp_path) == [CHECKSUMS]
    (tmp_path / CHECKSUMS).write_text("{}")
    assert get().read_bytes() == OTHER


def test_a_checksum_that_is_known_beforehand_is_held_to_and_not_recorded(site, get, tmp_path):
    assert get(sha256=sha256(CONTENT)).read_bytes() == CONTENT
    assert names(tmp_path) == ["a.bin"]
    with pytest.raises(ValueError, match=r"a\.bin did not send the file that this course knows"):
        get(sha256=sha256(OTHER))


def test_a_damaged_record_is_named(get, tmp_path):
    for text in ("not JSON", "[1]"):
        (tmp_path / CHECKSUMS).write_text(text)
        with pytest.raises(ValueError, match=r"checksums\.json is no record of checksums any more\. Delete it"):
            get()


def test_records_of_other_files_stay(site, tmp_path):
    site.files["/b.bin"] = b"b"
    sources = [Source(f"{site.url}/{name}", name) for name in ("a.bin", "b.bin")]
    assert [path.read_bytes() for path in fetch("made", sources, tmp_path, progress=False)] == [CONTENT, b"b"]
    assert set(json.loads((tmp_path / CHECKSUMS).read_text())) == {"made/a.bin", "made/b.bin"}


# -- broken transfers ----------------------------------------------------------------------------------------------
def test_a_broken_transfer_goes_on_where_it_stopped(site, get, tmp_path):
    site.cut = 1
    with pytest.raises(ConnectionError, match="the transfer broke"):
        get()
    (left,) = tmp_path.rglob("*.part")
    had = left.stat().st_size
    assert left.read_bytes() == CONTENT[:had]
    assert 0 < had < len(CONTENT)
    assert not (tmp_path / "made" / "a.bin").exists()
    assert not (tmp_path / CHECKSUMS).exists()

    assert get().read_bytes() == CONTENT
    assert site.requests[1] == ("/a.bin", f"bytes={had}-", 206)
    assert names(tmp_path) == ["a.bin", CHECKSUMS]


def test_what_is_left_of_an_older_file_is_not_joined_to_a_newer_one(site, get):
    site.cut = 1
    with pytest.raises(ConnectionError):
        get()
    site.files["/a.bin"], site.etag = OTHER, '"two"'
    assert get().read_bytes() == OTHER
    assert site.requests[1][2] == 200


@pytest.mark.parametrize("change", [{"etag": None}, {"etag": 'W/"weak"'}, {"ranges": False}])
def test_a_server_that_cannot_go_on_sends_everything_again(site, get, change):
    vars(site).update(change, cut=1)
    with pytest.raises(ConnectionError):
        get()
    assert get().read_bytes() == CONTENT
    assert [status for _, _, status in site.requests] == [200, 200]


def test_a_part_that_is_as_long_as_the_file_starts_over(site, tmp_path):
    (tmp_path / "a.part").write_bytes(CONTENT)
    (tmp_path / "a.part.etag").write_text(site.etag)
    waits = []
    Transfer(tmp_path / "a.part", progress=False, wait=waits.append)(f"{site.url}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert names(tmp_path) == ["a"]
    assert [status for _, _, status in site.requests] == [416, 200]


def test_passing_troubles_are_waited_out_a_little_longer_each_time(site, tmp_path):
    site.statuses, site.cut = [503, 429], 1
    waits = []
    Transfer(tmp_path / "a.part", progress=False, wait=waits.append)(f"{site.url}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert waits == [1, 2, 4]


def test_a_transfer_that_ends_early_without_a_word_is_noticed(tmp_path):
    class Short:  # as older versions of urllib3 give it
        headers: typing.ClassVar = {"Content-Length": "10"}

        def iter_content(self, size):
            yield b"12345"

    with pytest.raises(TransferError, match="the transfer broke after 5 of 10 bytes"):
        Transfer(tmp_path / "a.part", progress=False)._write(Short(), 0)


def test_after_the_last_try_the_trouble_is_told(site, tmp_path):
    site.statuses = [503, 503, 503]
    waits = []
    transfer = Transfer(tmp_path / "a.part", progress=False, tries=3, wait=waits.append)
    with pytest.raises(TransferError, match="it answered 503"):
        transfer(f"{site.url}/a.bin", tmp_path / "a")
    assert waits == [1, 2]
    assert names(tmp_path) == []


def test_ctrl_c_leaves_a_part_and_no_file(site, tmp_path, monkeypatch):
    import tqdm

    class Interrupted(tqdm.tqdm):
        def update(self, n=1):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(tqdm, "tqdm", Interrupted)
        transfer = Transfer(tmp_path / "a.part", progress=False)
        with pytest.raises(KeyboardInterrupt):
            transfer(f"{site.url}/a.bin", tmp_path / "a")
    assert names(tmp_path) == ["a.part", "a.part.etag"]
    transfer(f"{site.url}/a.bin", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == CONTENT
    assert site.requests[1][2] == 206


def test_only_the_beginning_is_taken_where_no_more_is_wanted(site, get):
    assert get(max_bytes=100_000).read_bytes() == CONTENT[:100_000]
    assert site.requests == [("/a.bin", "bytes=0-99999", 206)]


def test_the_beginning_is_cut_from_a_server_that_sends_everything_and_the_rest_is_not_waited_for(site, get):
    site.ranges, site.cut = False, 1  # after the part that is wanted
    assert get(max_bytes=100_000).read_bytes() == CONTENT[:100_000]


def test_a_file_shorter_than_its_limit_comes_whole(get):
    assert get(max_bytes=10**9).read_bytes() == CONTENT


# -- errors and screens --------------------------------------------------------------------------------------------
def test_a_missing_file_is_no_matter_of_waiting(site, tmp_path):
    with pytest.raises(ConnectionError, match=r"gone\.bin did not come from 127\.0\.0\.1: it answered 404 Not Found"):
        fetch("made", [Source(f"{site.url}/gone.bin", "gone.bin")], tmp_path, progress=False)
    assert len(site.requests) == 1


def test_a_log_in_page_is_not_taken_for_the_file(site, get, tmp_path):
    site.content_type = "text/html; charset=utf-8"
    with pytest.raises(ConnectionError, match="a web page came in place of the file"):
        get()
    assert names(tmp_path) == []


def test_offline_one_line_says_what_is_missing_where_it_would_be_and_what_works_without(tmp_path):
    source = Source("https://example.org/a.txt", "a.txt")
    with pytest.raises(ConnectionError, match="made needs the network once") as error:
        fetch("made", [source], tmp_path, progress=False)
    line = str(error.value)
    assert "\n" not in line
    for part in ("example.org", str(tmp_path / "made"), "microworld, stdlib-code and stdlib-docs need no network"):
        assert part in line
    assert names(tmp_path) == []


def test_a_server_that_is_not_there_is_reported_at_once(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ConnectionError, match="did not come from 127"):
        fetch("made", [Source(f"http://127.0.0.1:{port}/a", "a")], tmp_path, progress=False)


def test_a_cache_that_is_a_file_is_named(site, tmp_path):
    path = tmp_path / "made"
    path.write_text("in the way")
    with pytest.raises(ValueError, match=r"made cannot be kept in .*made"):
        fetch("made", [Source(f"{site.url}/a.bin", "a.bin")], tmp_path, progress=False)


def test_progress_is_shown_where_it_is_wanted_and_nothing_where_it_is_not(site, get, tmp_path, capsys):
    get()
    assert capsys.readouterr() == ("", "")
    sources = [Source(f"{site.url}/a.bin", "a.bin")]
    fetch("again", sources, tmp_path)
    assert "a.bin: 100%" in capsys.readouterr().err
    fetch("several", [*sources, Source(f"{site.url}/a.bin", "b.bin")], tmp_path)
    shown = capsys.readouterr().err
    assert "several: 100%" in shown
    assert "2/2" in shown
    assert "a.bin" not in shown


def test_pooch_logs_nothing_meanwhile_and_as_before_afterwards(get):
    import pooch

    logger, told = pooch.get_logger(), []
    level = logger.level
    handler = logging.Handler()
    handler.emit = told.append
    logger.addHandler(handler)
    try:
        get()
    finally:
        logger.removeHandler(handler)
    assert told == []
    assert logger.level == level


def test_the_cache_is_where_it_is_said_or_where_the_variable_says(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "variable"))
    assert cache_folder() == tmp_path / "variable"
    assert cache_folder(tmp_path / "said") == tmp_path / "said"
    monkeypatch.delenv(FOLDER_VARIABLE)
    assert cache_folder().is_absolute()
    assert "llmcourse" in cache_folder().parts
