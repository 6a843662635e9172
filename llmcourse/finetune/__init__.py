"""Fine-tuning: a pretrained model learns a task from labelled examples."""

from llmcourse.finetune.bayes import NaiveBayes
from llmcourse.finetune.classify import (
    Classifier,
    classification_batches,
    classify,
    fit_head,
    is_real_in,
    label_batch,
    label_nats,
    last_real,
)
from llmcourse.finetune.examples import Accuracy, ExampleBatches, accuracy
from llmcourse.finetune.lora import (
    LoraConfig,
    LoraLinear,
    add_lora,
    find_lora,
    load_lora,
    merge_lora,
    save_lora,
    unmerge_lora,
)
from llmcourse.finetune.prompt import PromptModel, load_prompt, save_prompt
from llmcourse.finetune.sft import (
    ChatExample,
    ChatTemplate,
    Turn,
    answer,
    answers,
    chat_of,
    encode_chat,
    encode_prompt,
    sft_batch,
    sft_batches,
)

__all__ = [
    "Accuracy",
    "ChatExample",
    "ChatTemplate",
    "Classifier",
    "ExampleBatches",
    "LoraConfig",
    "LoraLinear",
    "NaiveBayes",
    "PromptModel",
    "Turn",
    "accuracy",
    "add_lora",
    "answer",
    "answers",
    "chat_of",
    "classification_batches",
    "classify",
    "encode_chat",
    "encode_prompt",
    "find_lora",
    "fit_head",
    "is_real_in",
    "label_batch",
    "label_nats",
    "last_real",
    "load_lora",
    "load_prompt",
    "merge_lora",
    "save_lora",
    "save_prompt",
    "sft_batch",
    "sft_batches",
    "unmerge_lora",
]
