/** Reads what a report carries: compressed JSON in script elements of the page. */

/** The text of an element's compressed content; null when there is none. */
export async function readEmbedded(id: string): Promise<string | null> {
  const content = document.getElementById(id)?.textContent?.trim() ?? "";
  if (content === "") return null;
  const bytes = decodeBase64(content);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Response(stream).text();
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
