"""The LLM judge: compares a COT with the reference, evidence first, then a rating of 1 to 10.

`template` words the question, `reply` reads the answer, `cache` keeps it, `spending` counts, `judging` puts them
together over an OpenAI-compatible endpoint. No torch in here.
"""

from aft.judge.cache import DirectoryCache, NoCache, ReplyCache
from aft.judge.judging import Judge, Judged, JudgeItem, judge_all
from aft.judge.reply import Unreadable, Verdict, parse_reply
from aft.judge.spending import BudgetSpent, Spending, Usage
from aft.judge.template import TEMPLATES, messages

__all__ = [
    "TEMPLATES",
    "BudgetSpent",
    "DirectoryCache",
    "Judge",
    "JudgeItem",
    "Judged",
    "NoCache",
    "ReplyCache",
    "Spending",
    "Unreadable",
    "Usage",
    "Verdict",
    "judge_all",
    "messages",
    "parse_reply",
]
