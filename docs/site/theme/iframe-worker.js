/* Browsers start no worker for a page that is read from the disk, and the search is one. There it runs in a hidden frame. */
if (location.protocol === "file:") {
  window.Worker = class extends EventTarget {
    constructor(url) {
      super();
      this.frame = document.createElement("iframe");
      this.frame.hidden = true;
      this.frame.title = "Search";
      document.documentElement.append(this.frame);
      const inside = this.frame.contentWindow;
      // Each side gets a copy, as of a worker: neither changes what the other holds.
      inside.postMessage = (message) => {
        const data = structuredClone(message);
        setTimeout(() => this.tell("message", { data }));
      };
      this.started = new Promise((resolve, reject) => {
        const script = inside.document.createElement("script");
        script.src = new URL(url, location.href).href;
        script.onload = resolve;
        script.onerror = reject;
        inside.document.head.append(script);
      });
      this.started.catch(() => this.onerror?.(new ErrorEvent("error")));
    }

    postMessage(message) {
      const data = structuredClone(message);
      this.started.then(() => this.frame.contentWindow.dispatchEvent(new MessageEvent("message", { data })));
    }

    tell(type, about) {
      const event = new MessageEvent(type, about);
      this[`on${type}`]?.(event);
      this.dispatchEvent(event);
    }

    terminate() {
      this.frame.remove();
    }
  };
}
