"""Whole tokenizers as the model families put them together, made of a vocabulary or learned from texts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from llmcourse.tokenizers.added import AddedToken
from llmcourse.tokenizers.alphabet import spell
from llmcourse.tokenizers.bpe import ByteBPE
from llmcourse.tokenizers.bpe_model import BPE
from llmcourse.tokenizers.decoders import ByteLevelDecoder, MetaspaceDecoder, WordPieceDecoder
from llmcourse.tokenizers.normalize import BertNormalizer, NormalizerSequence, Regex, Replace, UnicodeForm
from llmcourse.tokenizers.pipeline import Tokenizer
from llmcourse.tokenizers.pretokenize import CL100K_PATTERN, GPT2_PATTERN, split_specials
from llmcourse.tokenizers.splits import BertPreTokenizer, ByteLevel, Metaspace, Split, SplitSequence, Splitter
from llmcourse.tokenizers.template import TEMPLATES, Template
from llmcourse.tokenizers.unigram import ScoredToken, Unigram
from llmcourse.tokenizers.unigram_trainer import learn_unigram
from llmcourse.tokenizers.wordpiece import WordPiece
from llmcourse.tokenizers.wordpiece_trainer import learn_wordpieces

# The same cuts as CL100K_PATTERN. `{1,3}+` at the end of an alternative is `{1,3}`, and other engines misread it.
PORTABLE = {CL100K_PATTERN: CL100K_PATTERN.replace("{1,3}+", "{1,3}")}
BERT_SPECIALS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
HIDDEN = {"[PAD]", "[CLS]", "[SEP]", "[MASK]"}  # no word is ever one of these
T5_SPECIALS = ("<pad>", "</s>", "<unk>")


def byte_level(
    model: BPE, pattern: str = GPT2_PATTERN, specials: Mapping[str, int] | None = None, template: Template | None = None
) -> Tokenizer:
    """A tokenizer of bytes, as GPT-2's, cut by the pattern. Raises: ValueError when the vocabulary lacks a byte."""
    splitter: Splitter = ByteLevel()
    if pattern != GPT2_PATTERN:
        splitter = SplitSequence((Split(Regex(PORTABLE.get(pattern, pattern))), ByteLevel(use_regex=False)))
    added = [AddedToken(special, number) for special, number in (specials or {}).items()]
    return Tokenizer(model, splitter=splitter, template=template, decoder=ByteLevelDecoder(), added=added)


def from_byte_bpe(tokenizer: ByteBPE, template: Template | None = None) -> Tokenizer:
    """The same tokenizer in the four steps, where it can be written as `tokenizer.json`; the ids are equal.

    Raises: ValueError when two ids are spelled alike: a special token like a merge, or two merges of the same bytes.
    """
    spelled = [spell(tokenizer.token_bytes(number)) for number in range(256 + len(tokenizer.pairs))]
    vocabulary: dict[str, int] = {}
    for number, token in enumerate(spelled):
        if vocabulary.setdefault(token, number) != number:
            raise ValueError(
                f"Ids {vocabulary[token]} and {number} are both spelled {token!r}; a vocabulary needs one."
            )
    model = BPE(vocabulary, [(spelled[left], spelled[right]) for left, right in tokenizer.pairs])
    return byte_level(model, tokenizer.pattern, tokenizer.specials, template)


def bert(tokens: Sequence[str], lowercase: bool = True, template: Template | None = None) -> Tokenizer:
    """A WordPiece tokenizer as BERT's; those of its tokens that BERT calls special are special.

    Raises: ValueError when a token that the template needs is not there.
    """
    vocabulary = {token: number for number, token in enumerate(tokens)}
    return Tokenizer(
        WordPiece({token: number for token, number in vocabulary.items() if token not in HIDDEN}),
        normalizer=BertNormalizer(lowercase=lowercase),
        splitter=BertPreTokenizer(),
        template=template or TEMPLATES["bert"],
        decoder=WordPieceDecoder(),
        added=[AddedToken(name, vocabulary[name]) for name in BERT_SPECIALS if name in vocabulary],
    )


def unigram(tokens: Sequence[ScoredToken], template: Template | None = None) -> Tokenizer:
    """A Unigram tokenizer as T5's and SentencePiece's; tokens in angle brackets that score 0 are special.

    Raises: ValueError when `<unk>` or a token that the template needs is not there.
    """
    numbers = {token: number for number, (token, _) in enumerate(tokens)}
    if "<unk>" not in numbers:
        raise ValueError("A Unigram vocabulary needs the token '<unk>' for what is unknown.")
    specials = [name for name, score in tokens if score == 0 and name.startswith("<") and name.endswith(">")]
    return Tokenizer(
        Unigram(tokens, unknown_id=numbers["<unk>"], hidden=specials),
        normalizer=NormalizerSequence((UnicodeForm("NFKC"), Replace(Regex(r"\s+"), " "))),
        splitter=Metaspace(),
        template=template or TEMPLATES["t5"],
        decoder=MetaspaceDecoder(),
        added=[AddedToken(name, numbers[name]) for name in specials],
    )


def train_wordpiece(
    texts: Iterable[str], vocab_size: int, specials: Sequence[str] = BERT_SPECIALS, lowercase: bool = True
) -> Tokenizer:
    """A tokenizer as BERT's of at most `vocab_size` ids, the specials first, learned from the texts.

    Raises: ValueError when `vocab_size` cannot hold the specials and the characters of the texts.
    """
    words = _count_pieces(texts, bert(specials, lowercase), specials)
    learned = learn_wordpieces(words, vocab_size - len(specials))
    _check_size(vocab_size, len(specials), len(learned))
    return bert([*specials, *learned], lowercase)


def train_unigram(texts: Iterable[str], vocab_size: int, specials: Sequence[str] = T5_SPECIALS) -> Tokenizer:
    """A tokenizer as T5's of at most `vocab_size` ids, the specials first, learned from the texts.

    Raises: ValueError when `vocab_size` cannot hold the specials and the characters of the texts.
    """
    unseen = [(name, 0.0) for name in specials]
    words = _count_pieces(texts, unigram(unseen), specials)
    _check_size(vocab_size, len(specials), len(set("".join(words))))
    return unigram([*unseen, *learn_unigram(words, vocab_size - len(specials))])


def _count_pieces(texts: Iterable[str], untrained: Tokenizer, specials: Sequence[str]) -> Counter[str]:
    if isinstance(texts, str):
        raise ValueError("Training takes an iterable of texts, but got one string: put it in a list.")
    return Counter(
        piece
        for text in texts
        for stretch, is_special in split_specials(text, specials)
        if not is_special
        for piece in untrained.pieces(stretch)
    )


def _check_size(vocab_size: int, n_specials: int, n_others: int) -> None:
    if n_specials + n_others > vocab_size:
        raise ValueError(
            f"vocab_size={vocab_size} is too small: {n_specials} specials and {n_others} characters "
            f"need {n_specials + n_others}."
        )
