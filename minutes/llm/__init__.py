"""Minutes by a language model: a server that speaks OpenAI's protocol, asked for what cites lines."""
