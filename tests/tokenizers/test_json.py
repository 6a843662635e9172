"""`tokenizer.json`: what we write the library reads, what it writes we read, and the rest is refused by name."""

import copy
import json

import pytest
import tokenizers
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from llmcourse.tokenizers import (
    AddedToken,
    ByteBPE,
    Tokenizer,
    Unigram,
    from_byte_bpe,
    from_json,
    read_tokenizer,
    read_tokenizer_json,
    to_json,
    write_tokenizer_json,
)
from tests.tokenizers.families import FAMILIES, family
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS

TEXTS = tuple(HARD_TEXTS.values())
LLAMA_TEXTS = [text for text in TEXTS if text]


def assert_same(ours, theirs, texts=TEXTS):
    """Both give the same ids, segments and texts back."""
    for text in texts:
        mine, reference = ours.encode_for_model(text, "so, then", allow_special=True), theirs.encode(text, "so, then")
        assert (mine.ids, mine.segment_ids) == (reference.ids, reference.type_ids)
        assert ours.decode(mine.ids) == theirs.decode(reference.ids, skip_special_tokens=False)


def without_scores(tokenizer):
    """The content of the file with Unigram's scores left out: the library reads the last digit loosely."""
    content = to_json(tokenizer)
    if content["model"]["type"] == "Unigram":
        content["model"]["vocab"] = [token for token, _ in content["model"]["vocab"]]
    return content


def llama_like():
    """Merges of characters with `▁` for spaces and bytes for what is unknown, as in the first Llama's file."""
    bytes_first = [f"<0x{byte:02X}>" for byte in range(256)]
    letters = sorted(set("".join(TRAINING_TEXTS[:2])) - set(" \n") | {"▁"})
    merges = [("t", "h"), ("th", "e"), ("▁", "the"), ("a", "t"), ("▁", "c"), ("▁c", "at"), ("c", "at"), ("e", "r")]
    tokens = dict.fromkeys(["<unk>", "<s>", *bytes_first, *letters, *(a + b for a, b in merges)])
    vocabulary = {token: number for number, token in enumerate(tokens)}
    theirs = tokenizers.Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    theirs.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    theirs.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    theirs.add_special_tokens(["<s>"])
    theirs.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A <s>:1 $B:1", special_tokens=[("<s>", vocabulary["<s>"])]
    )
    return theirs


@pytest.mark.parametrize("name", FAMILIES)
def test_the_library_reads_our_file_and_we_read_the_librarys(name, tmp_path):
    write_tokenizer_json(tmp_path / "tokenizer.json", family(name))
    theirs = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    theirs.save(str(tmp_path / "theirs.json"))
    ours = read_tokenizer_json(tmp_path / "theirs.json")
    assert_same(ours, theirs)
    assert to_json(read_tokenizer(tmp_path)) == to_json(family(name))
    assert without_scores(ours) == without_scores(family(name))


def test_a_file_like_llamas_gives_the_same_ids_and_texts():
    theirs = llama_like()
    ours = from_json(json.loads(theirs.to_str()))
    assert_same(ours, theirs, LLAMA_TEXTS)
    ids = [ours.vocabulary[token] for token in ("the", "<0xE7>", "<0x8C>", "the", "<0xC3>", "<0xA9>", "▁c", "<0xFF>")]
    assert ours.decode(ids) == theirs.decode(ids) == "the\ufffd\ufffdtheé c\ufffd"


def test_other_parts_of_the_librarys_files_are_read():
    theirs = llama_like()
    theirs.normalizer = normalizers.Sequence(
        [normalizers.NFKD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Replace("a", "e")]
    )
    theirs.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(tokenizers.Regex(r"\d"), "removed"), pre_tokenizers.Split("-", "isolated")]
    )
    texts = ["Cat 12-3 thé", "--", "The\u0301 1"]
    assert_same(from_json(json.loads(theirs.to_str())), theirs, texts)


@pytest.mark.parametrize(
    "processor",
    [
        processors.BertProcessing(("<s>", 1), ("<s>", 1)),
        processors.RobertaProcessing(("<s>", 1), ("<s>", 1)),
        processors.ByteLevel(),
        processors.Sequence([processors.ByteLevel(), processors.BertProcessing(("<s>", 1), ("<s>", 1))]),
    ],
    ids=["bert", "roberta", "byte level", "sequence"],
)
def test_older_post_processors_are_read_as_templates(processor):
    theirs = llama_like()
    theirs.post_processor = processor
    assert_same(from_json(json.loads(theirs.to_str())), theirs, LLAMA_TEXTS)


def test_older_spellings_are_read():
    content = to_json(family("gpt2"))
    del content["model"]["type"]
    content["model"]["merges"] = [" ".join(pair) for pair in content["model"]["merges"]]
    assert to_json(from_json(content)) == to_json(family("gpt2"))
    content = to_json(family("t5"))
    content["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "str_rep": "▁", "add_prefix_space": True}
    assert to_json(from_json(content)) == to_json(family("t5"))


def test_our_own_format_is_read_as_the_same_tokenizer(tmp_path):
    ours = ByteBPE.train(TRAINING_TEXTS, 330, ["<|end|>"])
    ours.save(tmp_path / "tokenizer.json")
    assert to_json(read_tokenizer(tmp_path)) == to_json(from_byte_bpe(ours))


@pytest.mark.parametrize(("name", "special"), [("t5", "</s>"), ("bert", "cat"), ("gpt2", "Ġcat")])
def test_no_text_spells_a_special_of_the_file_where_it_is_not_allowed(name, special):
    content = to_json(family(name))
    number = family(name).vocabulary[special]
    if special not in family(name).specials:
        content["added_tokens"].append({"id": number, "content": special, "special": True})
    content["model"]["ignore_merges"] = True
    content["model"]["merges"] = []
    ours = from_json(content)
    assert number not in ours.encode(f"so {special} cat {special}")
    assert ours.encode(f"so {special} it", allow_special=True).count(number) == 1


def edit(name, *path, to):
    """The content of a family's file with one value changed."""
    content = copy.deepcopy(to_json(family(name)))
    inner = content
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to
    return content


UNSUPPORTED = [
    (edit("t5", "normalizer", to={"type": "Precompiled"}), "normalizer 'Precompiled' is not supported"),
    (edit("t5", "pre_tokenizer", to={"type": "Digits"}), "pre_tokenizer 'Digits' is not supported"),
    (edit("t5", "decoder", to={"type": "CTC"}), "decoder 'CTC' is not supported"),
    (edit("t5", "post_processor", to={"type": "New"}), "post_processor 'New' is not supported"),
    (edit("t5", "model", to={"type": "WordLevel"}), "model 'WordLevel' is not supported"),
    (edit("gpt2", "model", "dropout", to=0.1), "BPE with dropout=0.1 is not supported"),
    (edit("gpt2", "model", "end_of_word_suffix", to="</w>"), "end_of_word_suffix='</w>' is not supported"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", 0, "invert", to=True), "Split with invert=True"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", 0, "behavior", to="Contiguous"), "behavior='Contiguous'"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", 0, "pattern", to={"Regex": r"\d{1,3}+"}), "a plus"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", 0, "pattern", to={"Regex": "("}), "regular expression"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", 0, "pattern", to="x"), "one Regex or one String"),
    (edit("cl100k", "pre_tokenizer", "pretokenizers", to=7), "must be a list"),
    (edit("bert", "normalizer", "lowercase", to="yes"), "lowercase='yes' is not supported"),
    (edit("t5", "decoder", to={"type": "Strip"}), "Strip lacks a field"),
    (edit("bert", "truncation", to={"max_length": 5}), "`truncation` in the file is not supported"),
    (edit("bert", "added_tokens", 0, "single_word", to=True), "single_word=True is not supported"),
    (edit("bert", "added_tokens", 0, to=7), "An added token is an object"),
    (edit("bert", "added_tokens", 0, "id", to="3"), "`id` must be of type int"),
    (edit("bert", "model", to=None), "`model` must be of type dict, got null"),
    (edit("bert", "model", "vocab", "the", to=-1), "'the' has -1"),
    (edit("bert", "model", "unk_token", to="[NO]"), r"'\[NO\]' is not"),
    (edit("gpt2", "model", "merges", 0, to=["a", "zzz"]), r"\('a', 'zzz'\) needs 'zzz', which is no token"),
    (edit("gpt2", "model", "merges", 0, to=["a"]), "A merge is two tokens"),
    (edit("gpt2", "model", "merges", 1, to=to_json(family("gpt2"))["model"]["merges"][0]), "merge only once"),
    (edit("gpt2", "model", to={"type": "BPE", "vocab": {"a": 0}, "merges": []}), "all 256 bytes, but it lacks 255"),
    (edit("t5", "model", "vocab", 3, to=["a"]), "a name and a score"),
    (edit("t5", "post_processor", "single", 0, to={"Sequence": {"id": "C"}}), "Sequence or a SpecialToken"),
    (edit("t5", "post_processor", "special_tokens", "</s>", "ids", to=[9]), r"takes '</s>' for \[9\]"),
    (edit("t5", "post_processor", to={"type": "BertProcessing", "cls": ["x", 1], "sep": ["y", 2]}), "takes 'x'"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "message"), UNSUPPORTED, ids=[message for _, message in UNSUPPORTED])
def test_what_is_not_supported_is_named_in_one_line(content, message, tmp_path):
    path = tmp_path / "tokenizer.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_tokenizer_json(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("keep", [0, 1, 40, -1])
def test_a_truncated_file_is_refused(keep, tmp_path):
    path = tmp_path / "tokenizer.json"
    write_tokenizer_json(path, family("bert"))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="no whole JSON file"):
        read_tokenizer_json(path)


def test_a_foreign_file_is_refused(tmp_path):
    path = tmp_path / "config.json"
    path.write_text('{"d_model": 8}', encoding="utf-8")
    with pytest.raises(ValueError, match=r"no tokenizer\.json: it has no `model`, only d_model"):
        read_tokenizer(path)


def test_ids_that_a_list_of_tokens_cannot_hold_are_refused():
    with pytest.raises(ValueError, match="must follow the 1 of the model"):
        to_json(Tokenizer(Unigram([("<unk>", 0.0)]), added=[AddedToken("<x>", 5)]))


def test_two_ids_that_are_spelled_alike_are_refused():
    with pytest.raises(ValueError, match="both spelled 'abc'"):
        from_byte_bpe(ByteBPE([(97, 98), (98, 99), (256, 99), (97, 257)]))
    with pytest.raises(ValueError, match="two ids"):
        from_byte_bpe(ByteBPE([(97, 98)], ["ab"]))
