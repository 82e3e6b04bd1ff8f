import { startControlPlane, type ControlPlaneProcess } from "../support/control-plane.ts";
import { digestOf } from "./plane.ts";

/** A server of its own, killed at the end. */
export async function withServer(
  work: (server: ControlPlaneProcess) => Promise<void>,
  settings: Parameters<typeof startControlPlane>[0] = {},
): Promise<void> {
  const server = await startControlPlane(settings);
  try {
    await work(server);
  } finally {
    await server.stop("SIGKILL");
  }
}

export function promote(server: ControlPlaneProcess, token: string, template: string): Promise<Response> {
  return fetch(`${server.address}/cp/admin/runtime-image/promote`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: JSON.stringify({ template_name: template, image_digest: digestOf(template) }),
  });
}

/** The templates that have a pin. */
export async function pinned(server: ControlPlaneProcess, token: string): Promise<string[]> {
  const answer = await fetch(`${server.address}/cp/admin/runtime-image`, {
    headers: { authorization: `Bearer ${token}` },
  });
  const { pins } = (await answer.json()) as { pins: { template_name: string }[] };
  return pins.map((pin) => pin.template_name);
}
