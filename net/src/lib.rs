//! The abstract network and clock, with TCP behind them.
