"""Reading, writing and making video: frames per second and memory.

Each script measures one part of the way from file to frames and back, against
the plain way of doing the same, in processes of their own.
"""
