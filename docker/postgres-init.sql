-- The exchange database (前置机) that the simulator of market regulation fills; in production the department has its own.
CREATE DATABASE exchange_market_regulation;
