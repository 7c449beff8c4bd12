/**
 * What retrievers and rerankers found, by payload and by span: the documents, in the order of their cards, and what their
 * first chip says.
 */

import { SPAN, TRACE } from "./texts.mjs";

const card = (text, tag) => ({ text, tags: [tag] });
const nameOf = (text) => (text === SPAN ? "spans.md" : "traces.md");
const file = (key, text) => card(text, `${key}: "${nameOf(text)}"`);
const stored = (text) =>
  card(text, `location: { "type": "S3", "s3Location": { "uri": "s3://handbook/${nameOf(text)}" } }`);

export const RETRIEVERS = {
  "py_langchain_retrieval.pb": {
    name: "LangChain",
    spans: { VectorStoreRetriever: [file("source", TRACE), file("source", SPAN)] },
  },
  "py_llama_index_retrieval.pb": {
    name: "LlamaIndex",
    spans: { "VectorIndexRetriever.retrieve": [file("file", SPAN), file("file", TRACE)] },
  },
  "py_haystack_retrieval.pb": {
    name: "Haystack",
    spans: {
      "InMemoryBM25Retriever.run": [file("file", SPAN), file("file", TRACE)],
      // The documents that it was given, and the one that it kept.
      "LLMRanker.run": [file("doc_uri", SPAN), file("doc_uri", TRACE), file("doc_uri", SPAN)],
    },
  },
  "js_langchain_retrieval.pb": {
    name: "LangChain (JS)",
    spans: { VectorStoreRetriever: [file("source", SPAN), file("source", TRACE)] },
  },
  "js_bedrock_agent_runtime_retrieval.pb": {
    name: "Bedrock Agents (JS)",
    spans: { "bedrock.retrieve": [stored(SPAN), stored(TRACE)] },
  },
};
