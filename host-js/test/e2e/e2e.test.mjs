/** Real model clients, real OpenInference packages, real MLflow and Phoenix servers, read back over their REST APIs. */

import "./applications.mjs";
import "./ai-sdk.mjs";
import "./traces.mjs";
// Last: it stops the server for a while.
import "./faults.mjs";
