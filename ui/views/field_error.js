// @ts-check
/**
 * Errors of a form stand at the field they are about, in words, tied to it for screen readers; the field gets the
 * focus.
 */

/** @param {HTMLElement} field */
function place(field) {
  return document.getElementById(field.dataset["error"] ?? describedBy(field));
}

/** @param {HTMLElement} field */
function describedBy(field) {
  const ids = (field.getAttribute("aria-describedby") ?? "").split(" ");
  return ids.find((id) => id.endsWith("-error")) ?? "";
}

/**
 * @param {HTMLElement} field
 * @param {string} sentence
 */
export function showError(field, sentence) {
  const at = place(field);
  if (at) {
    at.textContent = sentence;
    at.hidden = false;
  }
  field.setAttribute("aria-invalid", "true");
  field.focus();
}

/** @param {HTMLElement} field */
export function clearError(field) {
  const at = place(field);
  if (at) {
    at.textContent = "";
    at.hidden = true;
  }
  field.removeAttribute("aria-invalid");
}
