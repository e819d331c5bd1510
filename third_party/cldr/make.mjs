// Writes countries.tsv from the CLDR data that Node.js carries: node make.mjs > countries.tsv
const languages = ["en", "fr", "es", "ar", "zh", "ru"];
const names = languages.map((l) => new Intl.DisplayNames([l], { type: "region", fallback: "none" }));
// Groups of countries, and codes for tests and for what is unknown.
const none = new Set(["EU", "EZ", "UN", "QO", "XA", "XB", "ZZ"]);
const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
console.log(`# CLDR ${process.versions.cldr}\ncode\t${languages.join("\t")}`);
for (const a of letters) for (const b of letters) {
  const code = a + b;
  if (none.has(code) || new Intl.Locale("und-" + code).region !== code) continue; // replaced by another code
  const row = names.map((n) => n.of(code));
  if (row.every(Boolean)) console.log([code, ...row].join("\t"));
}
