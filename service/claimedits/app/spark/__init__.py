"""Evaluation on Spark: a release on every executor, data frames of claim lines in, data frames of findings out.

``bundle`` packs a release, ``distribution`` brings it to the executors, ``worker`` is what their Python processes run, and
``dataframes`` what an analyst calls. Nothing here is imported unless Spark is asked for.
"""
