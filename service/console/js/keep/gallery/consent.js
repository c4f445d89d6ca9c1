// On what ground somebody is held, and why they must not be erased.
import { api } from "../../api.js";
import { dialog, field, h, inWords } from "../../ui.js";

/** Inputs of a consent: {fields, value() → what the service takes, or null for none}. */
export function consentInputs(consent = {}) {
  const reference = h("input", { class: "input", maxlength: "256", value: consent.reference ?? "", placeholder: "form 7" });
  const purpose = h("input", { class: "input", maxlength: "256", value: consent.purpose ?? "", placeholder: "entrance" });
  const expires = h("input", { class: "input", type: "date", value: consent.expires ? consent.expires.slice(0, 10) : "" });
  return {
    fields: [field("Reference of the consent", reference), field("Purpose", purpose), field("Ends with this day (UTC)", expires)],
    value() {
      const found = {
        ...(reference.value.trim() ? { reference: reference.value.trim() } : {}),
        ...(purpose.value.trim() ? { purpose: purpose.value.trim() } : {}),
        ...(expires.value ? { expires: `${expires.value}T23:59:59Z` } : {}),
      };
      return Object.keys(found).length ? found : null;
    },
  };
}

export async function consentDialog(where, subject, done) {
  const inputs = consentInputs(subject.consent);
  await changed(where, done, {
    title: `Consent of ${subject.subject}`,
    body: [...inputs.fields, h("p", { class: "small muted" }, "From its end on the subject is in no answer, and is purged unless it is on hold.")],
    change: () => ({ consent: inputs.value() ?? {} }),
  });
}

export async function holdDialog(where, subject, done) {
  const why = h("input", { class: "input", maxlength: "256", autofocus: true, placeholder: "case 9" });
  await changed(where, done, subject.hold
    ? { title: `Release ${subject.subject}?`, body: [h("p", {}, `The hold (${subject.hold}) forbids to erase and to purge.`)], yes: "Release", change: () => ({ hold: null }) }
    : { title: `Hold ${subject.subject}`, body: [h("p", { class: "muted" }, "A hold forbids to erase and to purge, whatever the consent says."), field("Why", why)], yes: "Hold", change: () => ({ hold: why.value.trim() }) });
}

async function changed(where, done, { title, body, change, yes = "Save" }) {
  const wrong = h("p", { class: "small", role: "alert" });
  const made = await dialog({
    title,
    body: [...body, wrong],
    actions: [{ label: "Cancel", value: false }, { label: yes, value: true, class: "first", run: async () => {
      try {
        await api.patch(where, change());
        return true;
      } catch (problem) {
        wrong.textContent = inWords(problem);
        return false;
      }
    } }],
  });
  if (made) await done();
}
