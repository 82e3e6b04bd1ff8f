import { join, resolve } from "node:path";
import { LIMITS } from "../base/limits.ts";
import type { World } from "../cli/command.ts";
import { readBounded } from "../host/files.ts";
import { DockerLogins, parseDockerConfig } from "../stores/docker-config.ts";

/**
 * The logins of a named file, or of $DOCKER_CONFIG, with their passwords told to the redactor. Throws Failure:
 * config_unreadable, config_invalid.
 */
export function readDockerLogins(flag: string | undefined, world: World): DockerLogins {
  const folder = world.env["DOCKER_CONFIG"] ?? "";
  if (flag === undefined && folder === "") return new DockerLogins();
  const path = resolve(world.cwd, flag ?? join(folder, "config.json"));
  const bytes = readBounded(path, LIMITS.dockerConfigBytes, "the Docker configuration", "config_unreadable");
  const logins = parseDockerConfig(bytes, path);
  for (const password of logins.passwords) world.secrets.register(password);
  return logins;
}
