"""What the paper published: its numbers, and which of our methods each belongs to.

``results.json`` holds the tables of "Making Large Language Models Better Reasoners with Alignment" as printed:
percentages, ± the standard deviation over 3 seeds. Here they are turned to this product's units (accuracies as
fractions) and to its methods, so that they can stand beside ours. They are other models on other data: to be looked
at for the pattern between methods, never subtracted.
"""

from aft.paper.columns import SOURCE, Published, PublishedColumn, columns, get_column, method_key
from aft.paper.results import load_results

__all__ = ["SOURCE", "Published", "PublishedColumn", "columns", "get_column", "load_results", "method_key"]
