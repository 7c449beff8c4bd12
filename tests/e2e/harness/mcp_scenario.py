"""What the agent of `mcp_app.py` asks and its tool answers; tests compare MLflow with these."""

AGENT, TOOL = "weather_agent", "get_weather"
QUESTION = "How is the weather in Lisbon?"
CITY, WEATHER = "Lisbon", "21 °C, sunny"
