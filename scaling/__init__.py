"""Scaling laws and train-against-inference compute tradeoffs, with honest intervals."""
