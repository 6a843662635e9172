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
    "NaiveBayes",
    "Turn",
    "accuracy",
    "answer",
    "answers",
    "chat_of",
    "classification_batches",
    "classify",
    "encode_chat",
    "encode_prompt",
    "fit_head",
    "is_real_in",
    "label_batch",
    "label_nats",
    "last_real",
    "sft_batch",
    "sft_batches",
]
