/**
 * What a person sees of the span that is open: runs inside the page, so it may use nothing from outside its body.
 *
 * Reads structure that MLflow 3.17 draws, never the JSON behind it: a message is a card with a speaker on it, a call is a
 * tool's name with its arguments below, a document is a row of the retriever's list. A value that the UI could only dump
 * as JSON has none of these, so it reads as no message at all.
 */
export function readSpan() {
  const view = document.querySelector('[data-testid="model-trace-explorer-default-span-view"]');
  const words = (node) => (node?.textContent ?? "").replace(/\s+/g, " ").trim();
  const COPY_ID = 'button[aria-label="Copy tool call ID"]';
  const SPEAKERS = ["System", "User", "Assistant", "Tool"];

  const section = (name) =>
    view?.querySelector(`[data-testid="model-trace-explorer-${name}-section-toggle"]`)?.parentElement;

  /** The name of a tool is before the button that copies the call's id. */
  function nameBefore(button) {
    return words([...button.parentElement.querySelectorAll("span:not([role=img])")].find(words));
  }

  function call(button) {
    const name = nameBefore(button);
    const lines = [...button.parentElement.parentElement.children].slice(1);
    const rows = lines.flatMap((line) => [...line.children]);
    const pairs = rows.map((row) => [...row.children].map(words).filter(Boolean).join(": "));
    return `${name}(${pairs.join(", ") || lines.map(words).join(" ")})`;
  }

  function message(header) {
    const [title] = [...header.querySelectorAll("span:not([role=img])")]
      .map((span) => span.textContent.trim())
      .filter(Boolean);
    // The answer of a tool to a call without an id has the tool for its speaker.
    const role = SPEAKERS.includes(title) ? title : `Tool ${title}`;
    const body = [...header.parentElement.children].filter((child) => child !== header);
    const buttons = body.flatMap((child) => [...child.querySelectorAll(COPY_ID)]);
    const drawn = new Set(buttons.map((button) => button.parentElement.parentElement));
    const images = body
      .flatMap((child) => [...child.querySelectorAll("img")])
      .filter((image) => image.naturalWidth > 0);
    const reasons = body
      .flatMap((child) => [...child.querySelectorAll("button")])
      .some((each) => words(each) === "Reasoning");
    const texts = body.map((child) => said(child, (each) => drawn.has(each)));
    const parts = [
      ...(reasons ? ["[reasoning]"] : []),
      ...texts,
      ...images.map(() => "[image]"),
      ...buttons.map((button) => `→ ${call(button)}`),
    ];
    return `${role}: ${parts.filter(Boolean).join(" ")}`.trim();
  }

  /** Text without what is there to be clicked, and without the numbers before the lines of JSON. */
  function said(node, isLeftOut = () => false) {
    const texts = [];
    (function collect(each) {
      if (each.nodeType === Node.TEXT_NODE) texts.push(each.data);
      const isNumber =
        each.tagName === "SPAN" && /^\d+$/.test(each.textContent) && each.nextElementSibling?.tagName === "DIV";
      if (each.nodeType !== Node.ELEMENT_NODE || each.tagName === "BUTTON" || isNumber || isLeftOut(each)) return;
      each.childNodes.forEach(collect);
      if (/^(P|DIV|LI|PRE|BR|H[1-6])$/.test(each.tagName)) texts.push(" ");
    })(node);
    return texts.join("").replace(/\s+/g, " ").trim();
  }

  /** The card of a tool's answer has no speaker: the tool's name, and its words. */
  function result(button) {
    const name = nameBefore(button);
    return `Tool ${name}: ${said(button.parentElement.parentElement).slice(name.length).trim()}`.trim();
  }

  function messages(name) {
    const body = section(name)?.nextElementSibling;
    if (!body) return [];
    const others = [
      '[data-testid="model-trace-explorer-retriever-field-renderer"]',
      '[data-testid="model-trace-explorer-chat-tool"]',
    ];
    const found = [];
    const cards = [];
    for (const element of body.querySelectorAll(`div[role=button], ${COPY_ID}`)) {
      if (others.some((other) => element.closest(other))) continue;
      if (cards.some((card) => card.contains(element))) continue;
      if (element.matches("div")) cards.push(element.parentElement);
      found.push(element.matches("div") ? message(element) : result(element));
    }
    return found;
  }

  const documents = [
    ...(view?.querySelectorAll('[data-testid="model-trace-explorer-retriever-field-renderer"] div[role=button]') ?? []),
  ].map((card) => ({
    text: [...card.querySelectorAll("span:not([role=img])")].map(words).find(Boolean) ?? "",
    tags: [
      ...card.querySelectorAll('[role=status] [data-component-id="shared.model-trace-explorer.key-value-tag"]'),
    ].map(words),
  }));

  const tools = [...(view?.querySelectorAll('[data-testid="model-trace-explorer-chat-tool"]') ?? [])].map(words);
  const text = (name) => words(section(name)?.nextElementSibling);
  return {
    inputs: messages("input"),
    outputs: messages("output"),
    tools,
    documents,
    inputText: text("input"),
    outputText: text("output"),
  };
}
