"""What is measured: speed and memory (`python -m benchmarks`), accuracy against tshark (`benchmarks.accuracy`), robustness."""
