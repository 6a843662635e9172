"""Every family's ids, segments and texts equal those of the tokenizers library, which gets our vocabularies."""

import subprocess
import sys

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from llmcourse.tokenizers import AddedToken, Tokenizer, Unigram, WordPiece, train_unigram, train_wordpiece
from llmcourse.tokenizers.normalize import BertNormalizer
from llmcourse.tokenizers.splits import BertPreTokenizer, ByteLevel, Metaspace, SplitSequence, WhitespaceSplit
from tests.tokenizers.families import ANY_TEXT, FAMILIES, OLD_TEXT, TRICKY_TEXT, family, hugging_face
from tests.tokenizers.hard_texts import HARD_TEXTS, TRAINING_TEXTS

LIBRARY = {name: hugging_face(family(name)) for name in FAMILIES}


@pytest.mark.parametrize("name", FAMILIES)
def test_ids_segments_and_texts_equal_the_librarys_on_hard_texts(name):
    ours, theirs = family(name), LIBRARY[name]
    for text in HARD_TEXTS.values():
        for second in (None, "the cat  sat"):
            mine, reference = ours.encode_for_model(text, second, allow_special=True), theirs.encode(text, second)
            assert (mine.ids, mine.segment_ids) == (reference.ids, reference.type_ids)
            for hides in (False, True):
                assert ours.decode(mine.ids, hides) == theirs.decode(reference.ids, skip_special_tokens=hides)


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=60, deadline=None)
@given(text=ANY_TEXT)
def test_ids_equal_the_librarys_on_any_text(name, text):
    ids = LIBRARY[name].encode(text, add_special_tokens=False).ids
    assert family(name).encode(text, allow_special=True) == ids


@pytest.mark.parametrize("name", FAMILIES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_ids_decode_as_in_the_library(name, data):
    ours = family(name)
    ids = data.draw(st.lists(st.integers(0, ours.vocab_size - 1), max_size=12))
    assert ours.decode(ids) == LIBRARY[name].decode(ids, skip_special_tokens=False)


@pytest.mark.parametrize("lowercase", [True, False])
@pytest.mark.parametrize("strip_accents", [None, True, False])
@settings(max_examples=30, deadline=None)
@given(text=OLD_TEXT | TRICKY_TEXT)
def test_berts_normaliser_equals_the_librarys(lowercase, strip_accents, text):
    theirs = tokenizers.normalizers.BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)
    assert BertNormalizer(lowercase=lowercase, strip_accents=strip_accents)(text) == theirs.normalize_str(text)


@pytest.mark.parametrize("text", [*HARD_TEXTS.values(), "का a\u20dd à"], ids=[*HARD_TEXTS, "marks that take room"])
def test_berts_normaliser_equals_the_librarys_on_hard_texts(text):
    for lowercase in (True, False):
        theirs = tokenizers.normalizers.BertNormalizer(lowercase=lowercase)
        assert BertNormalizer(lowercase=lowercase)(text) == theirs.normalize_str(text)


@settings(max_examples=60, deadline=None)
@given(text=OLD_TEXT | TRICKY_TEXT)
def test_splitters_equal_the_librarys(text):
    library = tokenizers.pre_tokenizers
    pairs = [
        (BertPreTokenizer(), library.BertPreTokenizer()),
        (WhitespaceSplit(), library.WhitespaceSplit()),
        (Metaspace(), library.Metaspace()),
        (Metaspace(prepend_scheme="never", split=False), library.Metaspace(prepend_scheme="never", split=False)),
        (ByteLevel(add_prefix_space=True), library.ByteLevel(add_prefix_space=True)),
    ]
    for ours, theirs in pairs:
        assert ours(text, at_start=True) == [piece for piece, _ in theirs.pre_tokenize_str(text)] or not text


@settings(max_examples=80, deadline=None)
@given(
    tokens=st.sets(st.text(alphabet="abc", min_size=1, max_size=4), max_size=12),
    inner=st.sets(st.text(alphabet="abc", min_size=1, max_size=3).map("##{}".format), max_size=12),
    word=st.text(alphabet="abcd", min_size=1, max_size=12),
)
def test_wordpiece_equals_the_librarys_whatever_the_vocabulary(tokens, inner, word):
    vocabulary = {token: number for number, token in enumerate(["[UNK]", *sorted(tokens | inner)])}
    theirs = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=9)
    assert WordPiece(vocabulary, max_letters=9).encode(word) == [token.id for token in theirs.tokenize(word)]


@pytest.mark.parametrize("length", [8, 9, 10])
def test_a_word_that_is_too_long_is_unknown_as_in_the_library(length):
    vocabulary = {"[UNK]": 0, "a": 1, "##a": 2}
    theirs = tokenizers.models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=9)
    ids = WordPiece(vocabulary, max_letters=9).encode("a" * length)
    assert (
        ids
        == [token.id for token in theirs.tokenize("a" * length)]
        == ([0] if length > 9 else [1] + [2] * (length - 1))
    )


@settings(max_examples=80, deadline=None)
@given(
    scores=st.dictionaries(st.text(alphabet="abc", min_size=1, max_size=4), st.integers(-6, -1), max_size=12),
    text=st.text(alphabet="abcd", min_size=1, max_size=12),
)
def test_unigram_equals_the_librarys_whatever_the_scores(scores, text):
    tokens = [("<unk>", 0.0), *((token, float(score)) for token, score in scores.items())]
    theirs = tokenizers.models.Unigram(tokens, unk_id=0)
    assert Unigram(tokens).encode(text) == [token.id for token in theirs.tokenize(text)]


def test_unknown_characters_become_bytes_where_the_vocabulary_has_them():
    tokens = [("<unk>", 0.0), ("a", -1.0), *((f"<0x{byte:02X}>", -9.0) for byte in range(256))]
    theirs = tokenizers.models.Unigram(tokens, unk_id=0, byte_fallback=True)
    ids = Unigram(tokens, byte_fallback=True).encode("aé猫a")
    assert ids == [token.id for token in theirs.tokenize("aé猫a")] == [1, *(2 + byte for byte in "é猫".encode()), 1]


def test_added_tokens_take_blanks_and_come_before_or_after_normalising_as_in_the_library():
    vocabulary = {"[UNK]": 0, "a": 1, "b": 2}
    added = [
        AddedToken("<M>", 3, lstrip=True),
        AddedToken("<R>", 4, rstrip=True),
        AddedToken("CAT", 5, special=False, normalized=True),
        AddedToken("<M><R>", 6),
    ]
    ours = Tokenizer(WordPiece(vocabulary), normalizer=BertNormalizer(), splitter=BertPreTokenizer(), added=added)
    theirs = hugging_face(ours)
    for text in ["a <M> b", "a  <R>  b", "a cat CAT Cat b", "acatb", "<M><R>", "a <M><R> b", "  <M>  <M> ", "<R><R> a"]:
        assert ours.encode(text, allow_special=True) == theirs.encode(text).ids, text
    assert ours.encode("<M> cat") == theirs.encode("< M > cat").ids


def test_a_space_goes_before_the_first_word_only_where_the_scheme_says_so():
    for scheme in ("first", "always", "never"):
        ours = Tokenizer(
            Unigram([("<unk>", 0.0), ("▁", -1.0), ("a", -2.0), ("▁a", -2.5)]),
            splitter=Metaspace(prepend_scheme=scheme),
            added=[AddedToken("<x>", 4)],
        )
        theirs = hugging_face(Tokenizer(
            Unigram([*ours.model.tokens, ("<x>", -30.0)]), splitter=ours.splitter, added=ours.added
        ))  # fmt: skip
        for text in ["a a", " a", "<x>a", "a<x>a a<x>", "a<x> a"]:
            assert ours.encode(text, allow_special=True) == theirs.encode(text).ids, (scheme, text)


def test_a_sequence_of_splitters_cuts_the_pieces_of_the_one_before():
    both = SplitSequence((WhitespaceSplit(), Metaspace()))
    theirs = tokenizers.pre_tokenizers.Sequence(
        [tokenizers.pre_tokenizers.WhitespaceSplit(), tokenizers.pre_tokenizers.Metaspace()]
    )
    assert both("a  b▁c d", at_start=True) == [piece for piece, _ in theirs.pre_tokenize_str("a  b▁c d")]


def test_specials_are_text_unless_allowed():
    for name in ("gpt2", "bert", "t5"):
        ours = family(name)
        special, number = next(iter(ours.specials.items()))
        assert number not in ours.encode(f"so {special} it goes")
        assert ours.encode(f"so {special} it goes", allow_special=True).count(number) == 1


def test_training_reads_an_iterator_and_gives_the_same_tokens_whatever_the_order():
    for train in (train_wordpiece, train_unigram):
        assert train(iter(TRAINING_TEXTS), 130).vocabulary == train(TRAINING_TEXTS[::-1], 130).vocabulary


def test_training_gives_the_same_tokens_whatever_the_hash_seed():
    program = (
        "from llmcourse.tokenizers import to_json, train_unigram, train_wordpiece; "
        "texts = ['the cat sat on the mat, the hat, that cat'] * 3; "
        "print(to_json(train_wordpiece(texts, 60)), to_json(train_unigram(texts, 30)))"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        ).stdout
        for seed in ("0", "1")
    }
    assert len(found) == 1


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: train_wordpiece(["abc"], 7), "vocab_size=7 is too small: 5 specials and 3 characters need 8"),
        (lambda: train_unigram(["abc"], 6), "vocab_size=6 is too small: 3 specials and 4 characters need 7"),
        (lambda: train_wordpiece("abc", 70), "one string"),
        (lambda: train_unigram(["a"], 50, ["</s>"]), "needs the token '<unk>'"),
        (lambda: train_wordpiece(["a"], 50, ["[UNK]"]), r"template needs the token '\[CLS\]'"),
        (lambda: WordPiece({"a": 0}), r"'\[UNK\]' is not"),
        (lambda: Unigram([("a", 0.0), ("a", 1.0)]), "only once"),
        (lambda: Unigram([("a", 0.0)], unknown_id=1), "unknown_id=1 is no token"),
        (lambda: Unigram([("a", 0.0)], unknown_id=None).encode("b"), "no tokens for 'b'"),
        (lambda: family("t5").decode([9999]), "No token has the id 9999"),
        (lambda: family("t5").special_id("<mask>"), r"specials are \['<pad>', '</s>', '<unk>'\], got '<mask>'"),
        (lambda: Tokenizer(WordPiece({"[UNK]": 0}), added=[AddedToken("x", 0)]), "the same id 0"),
        (lambda: Tokenizer(WordPiece({"[UNK]": 0}), added=[AddedToken("[UNK]", 1)]), "two ids: 0 and 1"),
        (lambda: Tokenizer(WordPiece({"[UNK]": 0}), added=[AddedToken("", 1)]), "at least one character"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make()
    assert "\n" not in str(caught.value)
