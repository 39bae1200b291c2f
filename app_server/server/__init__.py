"""The answering half: connections, the handlers of every method, and the services behind them."""
