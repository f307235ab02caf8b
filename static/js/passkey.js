// <form data-passkey="create|get" data-options="#id or address">: what the device answers goes into its field `credential`.
// The form is hidden until it is known that this browser can do it here.
const { credentials } = navigator;
const isName = !/^[\d.]+$|:/.test(location.hostname); // a passkey belongs to a name, never to a number
const able = isName && credentials && window.PublicKeyCredential?.parseCreationOptionsFromJSON;

async function options(form) {
  const from = form.dataset.options;
  if (from.startsWith("#")) return JSON.parse(document.querySelector(from).textContent);
  return (await fetch(from, { headers: { Accept: "application/json" } })).json();
}

async function make(form) {
  const { publicKey } = (await options(form)).creation_options;
  // One that the device keeps, and guards: so it stands for the password too.
  publicKey.authenticatorSelection = { ...publicKey.authenticatorSelection, residentKey: "required", requireResidentKey: true, userVerification: "required" };
  return credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(publicKey) });
}

async function use(form) {
  const { publicKey } = (await options(form)).request_options;
  return credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(publicKey) });
}

async function send(event) {
  const form = event.currentTarget;
  event.preventDefault();
  const said = form.querySelector(".error[role=alert]");
  said.hidden = true;
  try {
    const credential = await (form.dataset.passkey === "create" ? make(form) : use(form));
    form.elements.credential.value = JSON.stringify(credential);
    form.submit();
  } catch {
    said.hidden = false; // given up, timed out, or nothing there that fits: the browser tells no difference
  }
}

if (able) {
  for (const note of document.querySelectorAll("[data-no-passkey]")) note.hidden = true;
  for (const form of document.querySelectorAll("form[data-passkey]")) {
    form.hidden = false;
    form.addEventListener("submit", send);
  }
}
