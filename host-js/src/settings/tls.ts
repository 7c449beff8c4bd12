/** How the server's certificate is verified, by the variables of MLflow's Python client. */

import { type Complain, readBoolean, readText } from "./environment.js";

export interface TlsSettings {
  /** Any certificate will do. */
  insecure: boolean;
  /** PEM file of the authorities that are trusted, in place of the runtime's. */
  serverCertPath: string | undefined;
  /** PEM file with the client's certificate and its key. */
  clientCertPath: string | undefined;
}

/** `undefined`: as the runtime does it. */
export function readTlsSettings(complain: Complain): TlsSettings | undefined {
  const insecure = readBoolean("MLFLOW_TRACKING_INSECURE_TLS", complain) ?? false;
  const serverCertPath = readText("MLFLOW_TRACKING_SERVER_CERT_PATH");
  const clientCertPath = readText("MLFLOW_TRACKING_CLIENT_CERT_PATH");
  if (insecure && serverCertPath) {
    complain(
      "MLFLOW_TRACKING_INSECURE_TLS is ignored, because MLFLOW_TRACKING_SERVER_CERT_PATH is set too: the server's " +
        "certificate is verified; expected one of them",
    );
  }
  if (!insecure && !serverCertPath && !clientCertPath) return undefined;
  return { insecure: insecure && !serverCertPath, serverCertPath, clientCertPath };
}
