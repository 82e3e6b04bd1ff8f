/** The least that Bun.serve does: reads the JSON of a POST and answers with a fixed text, or answers 304. */
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: async (request) => {
    if (request.method === "GET") return new Response(null, { status: 304, headers: { etag: '"x"' } });
    await request.json();
    return new Response('{"ok":true}\n', { headers: { "content-type": "application/json" } });
  },
});
console.log(JSON.stringify({ ok: true, listening: `http://127.0.0.1:${server.port}` }));
