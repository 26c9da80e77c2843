"""The built-in task: word problems whose every step can be checked.

Three people own some of one object; each sentence compares two of them; the question asks for
one number, a sum or a difference and takes two or three steps:

    Ann has 7 apples . Tom has 5 more than Ann . Joe has 2 times as many as Tom . How many apples does Joe have ?
    Tom : 7 + 5 = 12 . Joe : 12 * 2 = 24 . [ANS] 24

Texts are words and whole numbers with single spaces, so ``text.split()`` tokenises them and
`VOCABULARY` is complete. No torch in here.
"""

from aft.arithmetic.corpus import make_examples, pretraining_rows
from aft.arithmetic.oracle import OracleRating, oracle_rating
from aft.arithmetic.problems import (
    HOMES,
    Problem,
    Step,
    canonical_form,
    generate_problem,
    home,
    parse_question,
)
from aft.arithmetic.vocabulary import BOS, EOS, PAD, SEP, SPECIAL_TOKENS, UNK, VOCABULARY

__all__ = [
    "BOS",
    "EOS",
    "HOMES",
    "PAD",
    "SEP",
    "SPECIAL_TOKENS",
    "UNK",
    "VOCABULARY",
    "OracleRating",
    "Problem",
    "Step",
    "canonical_form",
    "generate_problem",
    "home",
    "make_examples",
    "oracle_rating",
    "parse_question",
    "pretraining_rows",
]
