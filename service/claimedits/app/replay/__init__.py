"""Re-runs history: claims of any number under a release, beside a baseline, and beside what really happened.

``running.replay`` is its entry. ``evaluating.PartitionEvaluator`` answers for one partition, and is what every engine calls.
"""
