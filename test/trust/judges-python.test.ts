import { describe, expect, test } from "bun:test";
import { formatBundle } from "../../src/trust/bundle.ts";
import { formatEnvelope } from "../../src/trust/dsse.ts";
import { formatStatement } from "../../src/trust/statement.ts";
import { envelopeOf, judge, statement } from "./attestations.ts";
import { askPython as ask, hasPython } from "./judges.ts";

const HAS_PROTOBUF = await hasPython("google.protobuf");

const said = new TextDecoder().decode(formatStatement(statement()));

// The messages of the published schemas that a key-signed bundle is made of, by their numbers. The reader is the
// library's own JSON reader: it refuses every member that the schema does not have.
const PROTOBUF = `
import base64, json, sys
from google.protobuf import descriptor_pb2 as d, descriptor_pool, message_factory, json_format, struct_pb2
F = d.FieldDescriptorProto
kinds = {"string": F.TYPE_STRING, "bytes": F.TYPE_BYTES, "message": F.TYPE_MESSAGE}
def message(file, name, *fields):
    m = file.message_type.add(name=name)
    for n, (field, kind, *rest) in fields:
        f = m.field.add(name=field, number=n, type=kinds[kind], label=F.LABEL_REPEATED if "repeated" in rest else F.LABEL_OPTIONAL)
        for one in rest:
            if one.startswith("."): f.type_name = one
    return m
file = d.FileDescriptorProto(name="judge.proto", package="judge", syntax="proto3", dependency=["google/protobuf/struct.proto"])
message(file, "Signature", (1, ("sig", "bytes")), (2, ("keyid", "string")))
message(file, "Envelope", (1, ("payload", "bytes")), (2, ("payloadType", "string")), (3, ("signatures", "message", "repeated", ".judge.Signature")))
message(file, "PublicKeyIdentifier", (1, ("hint", "string")))
message(file, "VerificationMaterial", (1, ("public_key", "message", ".judge.PublicKeyIdentifier")))
message(file, "Bundle", (1, ("media_type", "string")), (2, ("verification_material", "message", ".judge.VerificationMaterial")), (4, ("dsse_envelope", "message", ".judge.Envelope")))
digests = message(file, "ResourceDescriptor", (1, ("name", "string")), (3, ("digest", "message", "repeated", ".judge.ResourceDescriptor.DigestEntry")))
entry = digests.nested_type.add(name="DigestEntry")
entry.options.map_entry = True
for n, name in ((1, "key"), (2, "value")): entry.field.add(name=name, number=n, type=F.TYPE_STRING, label=F.LABEL_OPTIONAL)
statement = message(file, "Statement", (1, ("type", "string")), (2, ("subject", "message", "repeated", ".judge.ResourceDescriptor")), (3, ("predicate_type", "string")), (4, ("predicate", "message", ".google.protobuf.Struct")))
statement.field[0].json_name = "_type"
pool = descriptor_pool.DescriptorPool()
own = d.FileDescriptorProto()
struct_pb2.DESCRIPTOR.CopyToProto(own)
pool.Add(own)
pool.Add(file)
factory = message_factory.MessageFactory(pool)
given = json.load(sys.stdin)
try:
    read = json_format.Parse(given["text"], factory.GetPrototype(pool.FindMessageTypeByName("judge." + given["as"]))())
except json_format.ParseError as error:
    sys.exit("refused: %s" % error)
print(json_format.MessageToJson(read))
`;

describe.skipIf(!HAS_PROTOBUF)("the strict JSON reader of protobuf", () => {
  const documents: [string, string][] = [
    ["Bundle", formatBundle(envelopeOf())],
    ["Envelope", formatEnvelope(envelopeOf())],
    ["Statement", said],
  ];
  test.each(documents)("takes our %s, and gives it back as it was", async (as, text) => {
    const ran = await ask(PROTOBUF, { as, text });
    expect([ran.code, ran.stderr]).toEqual([0, ""]);
    expect(JSON.parse(ran.stdout)).toEqual(JSON.parse(text));
  });

  test.each(documents)("refuses our %s with a member more", async (as, text) => {
    const ran = await ask(PROTOBUF, { as, text: text.replace("{", '{"x_more":1,') });
    expect(ran.code).toBe(1);
    expect(ran.stderr).toContain("refused");
  });

  test("gives a bundle back in its own spelling, and we take that", async () => {
    const ran = await ask(PROTOBUF, { as: "Bundle", text: formatBundle(envelopeOf()) });
    expect(judge(ran.stdout).accepted).toHaveLength(1);
  });
});
