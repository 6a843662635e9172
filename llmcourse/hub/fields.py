"""A published config.json, read field by field, so that none is misread and none is overlooked."""

from collections.abc import Iterable, Mapping
from typing import Any

# the library's own book-keeping, training and generation settings: none of them changes what a model computes
NO_EFFECT = """
    _name_or_path architectures model_type transformers_version torch_dtype dtype use_cache return_dict torchscript
    use_bfloat16 tie_encoder_decoder output_attentions output_hidden_states output_past gradient_checkpointing
    chunk_size_feed_forward is_encoder_decoder tokenizer_class prefix task_specific_params finetuning_task problem_type
    id2label label2id num_labels _num_labels bos_token_id eos_token_id pad_token_id unk_token_id sep_token_id
    cls_token_id mask_token_id decoder_start_token_id forced_bos_token_id forced_eos_token_id bad_words_ids
    force_bos_token_to_be_generated
    initializer_range initializer_factor init_std attention_dropout activation_dropout classifier_dropout
    classif_dropout layerdrop encoder_layerdrop decoder_layerdrop max_length min_length do_sample early_stopping
    num_beams num_beam_groups num_return_sequences diversity_penalty temperature top_k top_p typical_p
    repetition_penalty length_penalty no_repeat_ngram_size encoder_no_repeat_ngram_size return_dict_in_generate
    output_scores remove_invalid_values llmcourse_head"""
REQUIRED: Any = object()


class Fields:
    """The fields of a config.json; `refuse_the_rest` knows which were never asked for."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = values
        self.asked: set[str] = set()

    def take(self, *names: str, kind: type | tuple[type, ...] = object, default: Any = REQUIRED) -> Any:
        """The value of the first of these fields that is there and not null.

        Raises: ValueError that names the field when it is missing without a default, or of another kind.
        """
        self.asked |= set(names)
        for name in names:
            value = self.values.get(name)
            if value is None:
                continue
            # bool is a kind of int, but no size
            if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool and kind is not object):
                raise ValueError(f"config.json has {name}={value!r}, which is of the wrong kind.")
            return value
        if default is REQUIRED:
            raise ValueError(f"config.json lacks the field {names[0]!r}.")
        return default

    def size(self, *names: str, default: Any = REQUIRED) -> Any:
        return self.take(*names, kind=int, default=default)

    def number(self, *names: str, default: Any = REQUIRED) -> float:
        return float(self.take(*names, kind=(int, float), default=default))

    def flag(self, name: str, default: bool) -> bool:
        return self.take(name, kind=bool, default=default)

    def choice(self, name: str, choices: Mapping[str, Any], default: str | None = None) -> Any:
        """What our config calls the value of a field that holds a word."""
        value = self.take(name, kind=str, default=REQUIRED if default is None else default)
        if value not in choices:
            raise ValueError(f"{name}={value!r} is not supported; known are {', '.join(choices)}.")
        return choices[value]

    def require(self, **expected: Any) -> None:
        """Nothing, where each field is absent or has the one value that we support; else a ValueError names it."""
        for name, value in expected.items():
            self.asked.add(name)
            if self.values.get(name, value) != value:
                raise ValueError(f"{name}={self.values[name]!r} is not supported; only {value!r} is.")

    def only(self, *names: str) -> dict[str, Any]:
        """All fields, where they have these names; else a ValueError names the first other one."""
        for name in self.values:
            if name not in names:
                raise ValueError(f"The field {name!r} is not supported; known here are {', '.join(names)}.")
        return dict(self.values)

    def refuse_the_rest(self, no_effect: Iterable[str]) -> None:
        """Nothing, where every field was asked for, has no effect or is off; else a ValueError names the first."""
        known = {*self.asked, *NO_EFFECT.split(), *no_effect}
        for name, value in self.values.items():
            if name not in known and value not in (None, False):
                raise ValueError(f"The field {name}={value!r} of config.json is not supported.")
