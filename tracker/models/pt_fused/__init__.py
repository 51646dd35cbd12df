"""pt-fused, the default: optical flow and a learned tracker check each other.

`tracker` holds its options, runs both over a clip and decides point by point whom to believe; the numbers of that
rule are measured in `benchmarks/trackers/fusion_rule.py` and described in docs/models/pt-fused.md.

Another partner: a value of `Learned` in `tracker`, whose confidence tells how sure it is.
"""
