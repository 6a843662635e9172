"""What each sentence of a summary claims, and how the world can be asked whether it is so.

Per plot: patterns of sentences, each with what must then be true of the story. A key that ends in "?" is a question
with its answer; "answer" is the answer to some question; "text" is what the story says, and "people" are in it; every
other key is a label. Both sides may use the groups of the pattern.
"""

# a name, a word or number, a day, something with its article, something without it
P, N, D, A, X = r"([A-Z]\w+)", r"([\w-]+)", r"(\w+day)", r"(an? [\w ]+?)", r"([\w ]+?)"
Claims = list[tuple[str, dict[str, object]]]

_LAST_KEY = "Who had the key last, before evening?"
_PRICE = "What was the last price, in coins?"

CLAIMS: dict[str, Claims] = {
    "lend": [
        (rf"{P} lent {P} an? {X} until {D}\.", {r"Whose \3 was it?": r"\1", "people": r"\2"}),
        (rf"{P} lent {P} an? {X} until {D}\.", {r"Who promised to bring the \3 back?": r"\2"}),
        (rf"{P} lent {P} an? {X} until {D}\.", {r"On which day was the \3 to come back?": r"\4"}),
        (rf"{P} borrowed an? {X} from {P} until {D}\.", {r"Whose \2 was it?": r"\3"}),
        (rf"{P} borrowed an? {X} from {P} until {D}\.", {r"Who promised to bring the \2 back?": r"\1"}),
        (rf"{P} borrowed an? {X} from {P} until {D}\.", {r"On which day was the \2 to come back?": r"\4"}),
        (rf"It came back to {P}, as promised\.", {"kept": True, "holder": r"\1"}),
        (rf"{P} kept the promise, and {P} has it again\.", {r"Did \1 keep the promise?": "yes", "holder": r"\2"}),
        (rf"It did not come back: {P} has it\.", {"kept": False, "holder": r"\1"}),
        (rf"{P} broke the promise, and it is with {P}\.", {r"Did \1 keep the promise?": "no", "holder": r"\2"}),
    ],
    "key": [
        (rf"{P} went away and left the key to the house with {P}\.", {"Whose house was it?": r"\1"}),
        (rf"{P} went away and left the key to the house with {P}\.", {"Who got the key first?": r"\2"}),
        (rf"{P} was given the key to {P}'s house\.", {"Whose house was it?": r"\2", "Who got the key first?": r"\1"}),
        (rf"In the evening {P} gave it back\.", {"found": True, _LAST_KEY: r"\1"}),
        (rf"In the evening {P} got it from {P}\.", {"found": True, "Whose house was it?": r"\1", _LAST_KEY: r"\2"}),
        (rf"In the evening {P} could not find it\.", {"found": False, _LAST_KEY: r"\1"}),
        (rf"{P} had it last, and lost it\.", {"found": False, _LAST_KEY: r"\1"}),
    ],
    "search": [
        (rf"{P} (?:looked for|could not find) (?:his|her) {X}\.", {r"Who lost the \2?": r"\1"}),
        (rf"It was (\w+ the [\w ]+), where {P} used it {X}\.", {"end": "far", "answer": r"\1", "text": r"\3"}),
        (rf"It was \w+ the [\w ]+, where {P} used it {X}\.", {"answer": r"\1"}),
        (rf"{P} had it and used it {X}\.", {"end": "far", "answer": r"\1", "text": r"\2"}),
        (rf"{P} had had it all along\.", {"end": "near", "mood_of": r"\1"}),
        (rf"It had been with {P} all day\.", {"end": "near", "mood_of": r"\1"}),
        (r"(?:Nobody ever found it|It was never found)\.", {"end": "never", "found": False}),
    ],
    "mend": [
        (rf"{P} had a broken {X}, and {P} asked for {N} coins to mend it\.", {r"Who was to mend the \2?": r"\3"}),
        (rf"{P} had a broken {X}, and {P} asked for {N} coins to mend it\.", {"mood_of": r"\1", "price": r"\4"}),
        (rf"{P} was to mend an? {X} for {P} and asked for {N} coins\.", {r"Who was to mend the \2?": r"\1"}),
        (rf"{P} was to mend an? {X} for {P} and asked for {N} coins\.", {"mood_of": r"\3", "price": r"\4"}),
        (rf"{P} mended it well\.", {"mended": True, "answer": r"\1"}),
        (r"Then it was as good as before\.", {"mended": True}),
        (rf"{P} did not mend it well\.", {"mended": False, "answer": r"\1"}),
        (r"It was never quite the same again\.", {"mended": False}),
    ],
    "count": [
        (rf"(?:At first )?{P} had {N} (\w+)\.", {r"Who had the \3?": r"\1", "start": r"\2"}),
        (rf"In the end there (?:was|were) {N} \w+\.", {"left": r"\1"}),
        (rf"In the end {P} had {N} \w+\.", {"mood_of": r"\1", "left": r"\2"}),
    ],
    "market": [
        (rf"{P} had {N} coins and wanted {A}\.", {r"How many coins did \1 have at first?": r"\2", "text": r"\3"}),
        (rf"{P} was selling an? {X}, and {P} had {N} coins\.", {r"Who was selling the \2?": r"\1"}),
        (rf"{P} was selling {A}, and {P} had {N} coins\.", {r"How many coins did \3 have at first?": r"\4"}),
        (rf"{P} bought it for {N} coins and kept {N} coins?\.", {"bought": True, "left": r"\3", _PRICE: r"\2"}),
        (rf"{P} bought it for .*", {"mood_of": r"\1"}),
        (rf"{P} sold it to {P} for {N} coins\.", {"bought": True, "mood_of": r"\2", "answer": r"\1", _PRICE: r"\3"}),
        (rf"{P} did not buy it for {N} coins and kept {N} coins\.", {"bought": False, "left": r"\3", _PRICE: r"\2"}),
        (rf"{P} asked for {N} coins, and {P} did not pay\.", {"bought": False, "answer": r"\1", _PRICE: r"\2"}),
    ],
    "rumour": [
        (rf"{P} saw {N} (\w+)\.", {r"How many \3 did \1 see?": r"\2"}),
        (rf"A rumour began with {P}, who saw {N} (\w+)\.", {r"Who saw the \3 first?": r"\1", "first": r"\2"}),
        (
            rf"When {P} told {P} of it, there were {N} (\w+)\.",
            {r"How many \4 did \1 speak of?": r"\3", "answer": r"\2"},
        ),
        (rf"By evening {P} spoke of {N} (\w+)\.", {r"How many \3 did \1 speak of?": r"\2", "last": r"\2"}),
    ],
    "vote": [
        (rf"{P} became mayor with {N} votes to {N} for {P}\.", {"Who became mayor?": r"\1", "people": r"\4"}),
        (rf"{P} became mayor with {N} votes to {N} for .*", {r"How many votes did \1 get?": r"\2", "text": r"\3"}),
        (rf"{P} beat {P}\.", {"winner": r"\1", "people": r"\2"}),
        (r"The village got (.+), as promised\.", {"kept": True, "text": r"\1"}),
        (rf"{P} kept the promise of (.+)\.", {"kept": True, "winner": r"\1", "text": r"\2"}),
        (r"The village never got (.+)\.", {"kept": False, "text": r"\1"}),
        (rf"{P} broke the promise of (.+)\.", {"kept": False, "winner": r"\1", "text": r"\2"}),
    ],
    "stranger": [
        (rf"{P} took in an? {X} from (.+)\.", {"Who opened the door to the visitor?": r"\1", "job": r"\2"}),
        (rf"{P} took in an? {X} from (.+)\.", {"Where did the visitor come from?": r"\3"}),
        (rf"An? {X} stayed with {P}\.", {"Who opened the door to the visitor?": r"\2", "job": r"\1"}),
        (r"The guest is there still\.", {"end": "stay"}),
        (rf"The {X} never left\.", {"end": "stay", "job": r"\1"}),
        (rf"The guest left {A} as a gift\.", {"end": "gift", "text": r"\1"}),
        (rf"{P} got {A} for it\.", {"end": "gift", "mood_of": r"\1", "text": r"\2"}),
        (rf"The guest took the {X} and was gone\.", {"end": "theft", "text": r"\1"}),
        (rf"Then the {X} stole the {X}\.", {"end": "theft", "job": r"\1", "text": r"\2"}),
    ],
    "contest": [
        (rf"{P} met {P} in an? {X}\.", {"people": r"\1", "text": r"\3"}),
        (rf"{P} met {P} in an? {X}\.", {"people": r"\2"}),
        (rf"There was an? {X}, and {A} to be won\.", {"text": r"\1", "What was the prize?": r"\2"}),
        (rf"{P} beat {P} and got {A}\.", {"winner": r"\1", "answer": r"\2", "What was the prize?": r"\3"}),
        (rf"{P} won, and {P} lost\.", {"winner": r"\1", "answer": r"\2"}),
    ],
    "sign": [
        (rf'{P} put up a sign at the {X}: "Do not (.+)\."', {"Who put up the sign?": r"\1", "text": r"\3"}),
        (rf"{P} put up a sign at the {X}: .*", {"Where was the sign?": r"at the \2"}),
        (rf"A sign of {P}'s said not to (.+)\.", {"Who put up the sign?": r"\1", "text": r"\2"}),
        (rf"{P} did it all the same\.", {r"Did \1 do what the sign forbade?": "yes"}),
        (rf"{P} read it and did not\.", {r"Did \1 do what the sign forbade?": "no"}),
        (rf"{P} obeyed it\.", {r"Did \1 do what the sign forbade?": "no"}),
        (rf"{P} read it and (?!did not)(.+)\.", {r"Did \1 do what the sign forbade?": "yes"}),
    ],
    "soup": [
        (rf"{P} cooked for {N} guests\.", {"Who cooked?": r"\1", "How many guests were there?": r"\2"}),
        (
            rf"{P} made a soup of {N} (\w+) for {N} guests\.",
            {"Who cooked?": r"\1", "How many guests were there?": r"\4"},
        ),
        (rf"{P} made a soup of {N} (\w+) for {N} guests\.", {r"How many \3 did the soup need?": r"\2"}),
        (r"The salt was not forgotten\.", {"salted": True}),
        (rf"{P} put salt in it\.", {"salted": True, "answer": r"\1"}),
        (r"The salt was forgotten\.", {"salted": False}),
        (rf"{P} left out the salt\.", {"salted": False, "answer": r"\1"}),
    ],
    "trip": [
        (rf"{P} and {P} set out for the {X}\.", {r"Who walked with \1?": r"\2", "answer": r"to the \3"}),
        (
            rf"{P} walked with {P} towards the {X} and foretold .*",
            {r"Who walked with \2?": r"\1", "answer": r"to the \3"},
        ),
        (r".* and foretold rain\.", {"forecast": "rain"}),
        (r".* and foretold a dry day\.", {"forecast": "sun"}),
        (r"It rained(?:, .*)?\.", {"rained": True}),
        (r"It stayed dry(?:, .*)?\.", {"rained": False}),
        (rf".*, and {P} was right\.", {r"Was \1 right about the rain?": "yes"}),
        (rf".*, and {P} was wrong\.", {r"Was \1 right about the rain?": "no"}),
    ],
    "swap": [
        (rf"{P} swapped {A}, and swapped again\.", {r"What did \1 have at first?": r"\2"}),
        (rf"{P} began with {A} and came to an? {X} in two swaps\.", {r"What did \1 have at first?": r"\2"}),
        (rf"{P} began with {A} and came to an? {X} in two swaps\.", {r"Who gave \1 the \3?": ...}),
        (rf"{P} kept {A}\.", {"end": "last", r"What did \1 have in the end?": r"\2"}),
        (rf"In the end {P} had {A}(?: again)?\.", {r"What did \1 have in the end?": r"\2"}),
        (r"In the end \w+ had [\w ]+ again\.", {"end": "back"}),
        (rf"In the end {P} gave {A} back\.", {"end": "back", "people": r"\1", "answer": r"\2"}),
        (rf"In the end {P} had nothing\.", {r"What did \1 have in the end?": "nothing"}),
        (r"In the end there was nothing left\.", {"end": "none"}),
    ],
    "shift": [
        (rf"{P} and {P} did each other's work for a day\.", {"people": r"\1", r"Did \1 do \2's work well?": ...}),
        (rf"{P} worked (\w+ the [\w ]+) and {P} .*", {r"Who worked \2 that day?": r"\1", "people": r"\3"}),
        (rf".* and {P} (\w+ the [\w ]+) for a day\.", {r"Who worked \2 that day?": r"\1"}),
        (r"Both did it well\.", {"well": True, "also": True}),
        (rf"It went well for {P} and for {P}\.", {"well": True, "also": True, "people": r"\1"}),
        (r"(?:Both did it badly|Neither did it well)\.", {"well": False, "also": False}),
        (rf"{P} did it well, and {P} did not\.", {r"Did \1 do \2's work well?": "yes"}),
        (rf"{P} did it well, and {P} did not\.", {r"Did \2 do \1's work well?": "no"}),
        (rf"{P} did worse than {P}\.", {r"Did \1 do \2's work well?": "no"}),
        (rf"{P} did worse than {P}\.", {r"Did \2 do \1's work well?": "yes"}),
    ],
}
