"""What a cycle costs: requests, writes, CPU and memory, beside a named alternative run on the same data.

`make bench` prints the tables; `python -m benchmarks --quick` leaves out the largest size.
"""
