// Sends a request that tells how much of it has left, which fetch does not do; it is answered as fetch would answer.
export function send(method, address, headers, body, signal, told) {
  return new Promise((answered, failed) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = 'blob';
    for (const [name, value] of headers) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => told(Math.floor((100 * loaded) / (total || 1)));
    request.onload = () => {
      const lines = request.getAllResponseHeaders().trim().split('\r\n');
      const headers = lines.map((line) => line.split(/: (.*)/s).slice(0, 2));
      const content = request.response?.size ? request.response : null;
      answered(new Response(content, { status: request.status, headers }));
    };
    request.onerror = failed;
    request.onabort = failed;
    signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}

// Reads a file as a data URL.
export function dataUrl(file) {
  return new Promise((read, failed) => {
    const reader = new FileReader();
    reader.onload = () => read(reader.result);
    reader.onerror = failed;
    reader.readAsDataURL(file);
  });
}
