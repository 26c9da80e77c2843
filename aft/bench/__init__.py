"""Benchmarks of the trainer, the scorer and the sampler: alternatives side by side in one process.

A shared machine is never twice equally fast, so only ratios of one run mean anything: the alternatives take turns,
and the medians of their times are compared. ``python -m aft.bench`` measures one ``BenchConfig``; the command line
``aft bench`` starts it.
"""
