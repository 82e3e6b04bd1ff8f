/** One GET and nothing else, as a program of the runtime that waybill is compiled with. usage: one-get URL TOKEN */
const [url = "", token = ""] = process.argv.slice(2);
const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
await answer.text();
