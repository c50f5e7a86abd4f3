"""What a cycle costs: requests, writes, CPU and memory, beside a named alternative run on the same data.

`make bench` prints the tables; ARGS="--quick" all of them very small, ARGS="--only sizes --issues 1000 10000" a part of one.
"""
