"""Texts that break careless tokenizers."""

HARD_TEXTS = {
    "empty": "",
    "one space": " ",
    "one newline": "\n",
    "newlines": "one\n\n\ntwo\r\nthree\n",
    "whitespace runs": "a  b   c\t\t d \n  e    ",
    "odd blanks": "a\u00a0b\u2003c\u3000d\u200be\x1cf\x85g",
    "repeats": "aaa aaaa aaaaa abababa aabaabaa",
    "contractions": "It's they'll WE'VE I'm don't 'tis 'S ſ'ſ",
    "emoji": "🙂🙃 👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 🇫🇷🇯🇵",
    "combining marks": "e\u0301 n\u0303 a\u0308\u0323 Z͑ͫ̓a̴l̸g̵o",
    "chinese, japanese, korean": "我喜欢猫。日本語のテキスト、한국어 텍스트",
    "right to left": "שלום עולם مرحبا بالعالم \u202eabc\u202c",
    "indic": "नमस्ते दुनिया வணக்கம்",
    "code": "def f(x):\n    return x**2  # squared\n\tif x != 0x1F and y >= 1e-9: pass\n",
    "numbers": "3.14159 1,000,000 ½ ٣ Ⅻ 20261123",
    "controls": "\x00\x01\x7f\ufeff\ufffd\uffff",
    "beyond the basic plane": "𝕳𝖊𝖑𝖑𝖔 𐍈 \U0010ffff",
    "looks like a special": "<|end|> <|end |<|user|>",
}
TRAINING_TEXTS = [
    "the cat sat on the mat. the cat sat on the hat.\n",
    "low low low lower newest newest widest\n\n  indented   twice\n",
    "aaa aaaa abababa don't they'll it's 1999 2026 ünïcödé 🙂🙂🙂 日本語日本 नमस्ते\r\n",
    "def f(x):\n    return x\n\ndef g(x):\n    return f(x)\n",
] * 3
