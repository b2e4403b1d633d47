# SPDX-License-Identifier: BSD-2-Clause
"""A hundred mail servers of invented names on 10.25.0.1 to 10.25.0.100: which software each is, and
what it takes. Nine offer no STARTTLS, one speaks TLS 1.0 only."""

NETWORK = "10.25.0.%d"

NAMES = """acorn alder almond anise apple apricot ash aspen aster bamboo barley basil bay beech
bilberry birch bramble briar broom burdock camellia caraway cedar cherry chestnut chicory clover
cornflower cowslip cress crocus currant cypress daffodil dahlia daisy dill elder elm fennel fern fig
flax foxglove gentian ginger gorse hawthorn hazel heather hemlock holly hop hornbeam hyacinth iris
ivy jasmine juniper larch laurel lavender lemon lentil lilac lily lime linden lotus lupin maple
marjoram medlar millet mint mulberry myrtle nettle oak oat olive orchid pansy parsley pear pine
plum poplar poppy privet quince""".split()

#: names that stand for what a reader looks for
SPECIAL = {12: "webmail-a", 13: "webmail-b", 25: "webmail-c", 37: "freemail", 44: "portal",
           58: "hosting", 63: "cable", 79: "campus", 92: "webmail-d", 71: "telecom"}
NO_STARTTLS = (12, 13, 25, 37, 44, 58, 63, 79, 92)
TLS10_ONLY = 71


def servers():
    """(number, name, software, kind): kind is none, tls10, tls12 or tls13 (which takes 1.2 too)."""
    names = iter(NAMES)
    for number in range(1, 101):
        label = SPECIAL.get(number) or next(names)
        name = ("mx.", "mx1.", "mail.", "mxa.in.")[number % 4 if number not in SPECIAL else 0] + \
            label + ".example"
        software = ("postfix", "postfix", "exim", "postfix", "opensmtpd", "exim", "postfix",
                    "postfix", "exim", "postfix")[number % 10]
        if number == TLS10_ONLY:
            kind, software = "tls10", "postfix"
        elif number in NO_STARTTLS:
            kind = "none"
        else:
            kind = "tls12" if number * 7 % 20 < 7 else "tls13"
        yield number, name, software, kind


def of(software):
    return [(NETWORK % number, name, kind) for number, name, kind_of, kind in servers()
            if kind_of == software]


def hosts():
    """As hosts(5) has it."""
    return "".join(f"{NETWORK % number:12} {name}\n" for number, name, _, _ in servers())
