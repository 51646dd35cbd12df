"""What a propagation has to do in one sample, told from its stored labels alone: nothing is read or written here.

`prompts` which labels are carried from, `identities` what their objects are called from run to run, `memory` what
earlier runs made from what, `plan` all of it together: which stretches are computed, what is copied, what has to go.
How the labels are read: `stored_labels`, one room up; what is written in the end: `changes`.
"""
