"""The older files of each family: what is written reads back, by us and by those who made the format."""

import base64

import pytest
import tiktoken
import tokenizers
from tiktoken.load import load_tiktoken_bpe

from llmcourse.tokenizers import (
    BPE,
    CL100K_PATTERN,
    GPT2_PATTERN,
    O200K_PATTERN,
    ByteBPE,
    byte_level,
    from_byte_bpe,
    read_tiktoken,
    read_tokenizer,
    read_unigram_vocab,
    read_vocab_and_merges,
    read_vocab_txt,
    write_tiktoken,
    write_unigram_vocab,
    write_vocab_and_merges,
    write_vocab_txt,
)
from llmcourse.tokenizers.alphabet import BYTES, LETTERS, spell, unspell
from tests.tokenizers.families import family
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS


def assert_same_ids(ours, theirs):
    for text in HARD_TEXTS.values():
        assert ours.encode(text, allow_special=True) == theirs.encode(text, allow_special=True)


def test_bytes_are_spelled_as_in_the_library():
    assert set(LETTERS.values()) == set(tokenizers.pre_tokenizers.ByteLevel.alphabet())
    assert len(BYTES) == 256
    everything = bytes(range(256))
    assert unspell(spell(everything)) == everything
    splitter = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    assert spell("a é\n猫".encode()) == splitter.pre_tokenize_str("a é\n猫")[0][0]


def test_vocab_json_and_merges_read_back_here_and_in_the_library(tmp_path):
    ours = family("gpt2")
    write_vocab_and_merges(tmp_path, ours)
    back = read_vocab_and_merges(tmp_path)
    assert back.specials == ours.specials
    assert_same_ids(back, ours)
    assert_same_ids(read_tokenizer(tmp_path), ours)
    theirs = tokenizers.models.BPE.from_file(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    assert [token.id for token in theirs.tokenize("Ġthe")] == ours.encode(" the")


def test_vocab_txt_reads_back_here_and_in_the_library(tmp_path):
    path = tmp_path / "vocab.txt"
    for name in ("bert", "bert cased"):
        write_vocab_txt(path, family(name))
        assert_same_ids(read_vocab_txt(path, lowercase=name == "bert"), family(name))
        theirs = tokenizers.models.WordPiece.from_file(str(path))
        assert [token.id for token in theirs.tokenize("newest")] == family(name).encode("newest")
    assert read_tokenizer(path).specials == family("bert").specials
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))  # as an editor on Windows saves it
    assert read_tokenizer(path).vocabulary == family("bert cased").vocabulary


def test_a_unigram_vocabulary_reads_back_to_the_last_digit(tmp_path):
    path = tmp_path / "unigram.vocab"
    write_unigram_vocab(path, family("t5"))
    back = read_unigram_vocab(path)
    assert back.model.tokens == family("t5").model.tokens
    assert (back.specials, back.template) == (family("t5").specials, family("t5").template)
    assert_same_ids(read_tokenizer(path), family("t5"))


@pytest.mark.parametrize("name", ["cl100k", "o200k"])
def test_tiktoken_reads_our_file_and_we_read_it_back(name, tmp_path, monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    ours, path = family(name), tmp_path / f"{name}.tiktoken"
    write_tiktoken(path, ours)
    ranks = load_tiktoken_bpe(str(path))
    pattern = O200K_PATTERN if name == "o200k" else CL100K_PATTERN
    theirs = tiktoken.Encoding(name, pat_str=pattern, mergeable_ranks=ranks, special_tokens=ours.specials)
    back = read_tiktoken(path, pattern, ours.specials)
    assert_same_ids(back, ours)
    for text in HARD_TEXTS.values():
        assert back.encode(text, allow_special=True) == theirs.encode(text, allowed_special="all")
    assert read_tokenizer(path).encode("the cat  sat") == ours.encode("the cat  sat")


def test_a_tiktoken_file_in_another_order_gives_tiktokens_ids(tmp_path, monkeypatch):
    """Published files number the bytes otherwise, and hold tokens that no merge of ours would have made."""
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    trained = ByteBPE.train(TRAINING_TEXTS, 380)
    tokens = [bytes([byte]) for byte in range(255, -1, -1)] + [
        trained.token_bytes(number) for number in range(256, trained.vocab_size)
    ]
    tokens += [b"zyzzy", b" cat sat", b"newestlow"]
    path = tmp_path / "x.tiktoken"
    write_lines(path, tokens)
    theirs = tiktoken.Encoding(
        "x", pat_str=GPT2_PATTERN, mergeable_ranks=load_tiktoken_bpe(str(path)), special_tokens={}
    )
    back = read_tiktoken(path, GPT2_PATTERN)
    for text in [*HARD_TEXTS.values(), "zyzzy zyzzyzyzzy newestlow lowest"]:
        assert back.encode(text) == theirs.encode(text, disallowed_special=())
    path.write_text("\n".join(reversed(path.read_text(encoding="utf-8").splitlines())), encoding="utf-8")
    assert read_tiktoken(path, GPT2_PATTERN).model.merges == back.model.merges


def write_lines(path, tokens):
    lines = (f"{base64.b64encode(token).decode()} {rank}" for rank, token in enumerate(tokens))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.tiktoken", "IQ== 0\nnonsense\n", "line 2 is no base64 and id: 'nonsense'"),
        ("a.tiktoken", "IQ== 0\nIQ== 1\n", "line 2 repeats a token"),
        ("a.tiktoken", "IQ== 0\nIg== 1\n", "must hold all 256 bytes, but it lacks 254, the first 0"),
        ("a.tiktoken", "", "line 1 is no base64"),
        ("vocab.txt", "[UNK]\na\na\n", "'a' stands on two lines"),
        ("vocab.txt", "a\nb\n", r"no vocabulary of WordPiece: .* '\[UNK\]' is not"),
        ("vocab.txt", "[UNK]\n[CLS]\n", r"template needs the token '\[SEP\]'"),
        ("a.vocab", "<unk>\t0\na\n", "line 2 is no token, tab and score: 'a'"),
        ("a.vocab", "a\t-1\n", "needs the token '<unk>'"),
        ("a.vocab", "<unk>\t0\n</s>\t0\n<unk>\t0\n", "only once"),
        ("a.bin", "x", "no tokenizer file; known are tokenizer.json"),
    ],
)
def test_a_damaged_or_foreign_file_is_refused_in_one_line(name, content, message, tmp_path):
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_tokenizer(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_vocab_and_merges_that_do_not_fit_are_refused(tmp_path):
    write_vocab_and_merges(tmp_path, family("gpt2"))
    merges = tmp_path / "merges.txt"
    whole = merges.read_text(encoding="utf-8")
    for content, message in [
        (whole + "zz yy\n", "do not fit together: .* needs 'zz'"),
        (whole + "abc\n", r"line \d+ is not two tokens and a space: 'abc'"),
        (whole + whole.split("\n")[1] + "\n", "only once"),
    ]:
        merges.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            read_tokenizer(merges)
    (tmp_path / "vocab.json").write_text('{"a": "b"}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"vocab.json is damaged: 'a' has the id 'b'"):
        read_tokenizer(tmp_path)


@pytest.mark.parametrize("name", ["vocab.txt", "a.tiktoken", "a.vocab", "merges.txt"])
def test_files_that_are_missing_or_no_text_are_named(name, tmp_path):
    with pytest.raises(ValueError, match="no tokenizer file at"):
        read_tokenizer(tmp_path / name)
    with pytest.raises(ValueError, match="holds no tokenizer"):
        read_tokenizer(tmp_path)
    (tmp_path / name).write_bytes(b"\xff\xfe")
    (tmp_path / "vocab.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        read_tokenizer(tmp_path / name)


def test_what_a_file_cannot_hold_is_refused(tmp_path):
    path = tmp_path / "x"
    letters = {letter: byte for byte, letter in LETTERS.items()}
    late = BPE(letters | {"ab": 256, "bc": 257, "abc": 258}, [("b", "c"), ("a", "b"), ("ab", "c")])
    for write, tokenizer, message in [
        (write_vocab_and_merges, family("t5"), "holds a BPE model, got Unigram"),
        (write_tiktoken, family("bert"), "holds a BPE model, got WordPiece"),
        (write_unigram_vocab, family("bert"), "holds a Unigram model, got WordPiece"),
        (write_tiktoken, byte_level(late), "a later merge must make a greater id"),
        (
            write_tiktoken,
            from_byte_bpe(ByteBPE([(98, 99), (97, 98), (257, 99)])),
            r"No text can reach token 258, b'abc'",
        ),
        (write_vocab_txt, byte_level(late, specials={"<x>": 300}), "ids may have no gaps: 260 tokens, 301 ids"),
    ]:
        with pytest.raises(ValueError, match=message):
            write(path, tokenizer)
    assert not path.exists()
