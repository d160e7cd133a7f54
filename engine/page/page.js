"use strict";
// Plays the sounds of a page, one at a time, and draws its figures in the page's colours.
// A click on an element with data-sound="ID", or on a point whose customdata is ID, plays; another one stops. Escape stops.
(() => {
  const sounds = JSON.parse(document.getElementById("sounds").textContent);
  const audio = document.querySelector("audio");
  const status = document.getElementById("playing");
  const figures = [...document.querySelectorAll(".figure")];
  // the buttons by name, so that none that sends a figure somewhere comes with another version of plotly
  const CONFIG = {
    responsive: true, scrollZoom: true, displaylogo: false, typesetMath: false, plotlyServerURL: "",
    modeBarButtons: [["toImage"], ["zoom2d", "pan2d"], ["zoomIn2d", "zoomOut2d", "resetScale2d"]],
  };
  let playing = null;

  function show(id) {
    playing = id;
    for (const element of document.querySelectorAll("[data-sound]")) {
      const on = element.dataset.sound === id;
      element.classList.toggle("playing", on);
      element.setAttribute("aria-pressed", String(on));
    }
    for (const figure of figures) mark(figure, id);
  }

  function stop() {
    audio.pause();
    status.textContent = "";
    show(null);
  }

  function toggle(id) {
    if (id === playing) return stop();
    if (!sounds[id]?.uri) {
      stop();
      status.textContent = sounds[id]?.lacks ?? `This sound is not in the page: \`mirla play ${id}\` plays it.`;
      return;
    }
    audio.src = sounds[id].uri;
    status.textContent = sounds[id].credit;
    show(id);
    audio.play().catch((error) => {
      if (playing === id && error.name !== "AbortError") {
        stop();
        status.textContent = `This browser cannot play the sound: ${error.message}`;
      }
    });
  }

  function mark(figure, id) {
    const note = figure.places && id !== null ? figure.places.get(id) : undefined;
    if (!note && !figure.marked) return;
    figure.marked = Boolean(note);
    const look = { text: "\u266A", showarrow: true, arrowhead: 0, ax: 0, ay: -28, standoff: 6, font: { size: 20 } };
    Plotly.relayout(figure, { annotations: note ? [{ ...note, ...look }] : [] });
  }

  function places(figure) {
    // what plotly made of each trace, since the arrays came encoded
    const found = new Map();
    for (const trace of figure._fullData) {
      for (let i = 0; trace.customdata && i < trace.customdata.length; i++) {
        found.set(String(trace.customdata[i]), { x: trace.x[i], y: trace.y[i] });
      }
    }
    return found;
  }

  function dress(figure) {
    const style = getComputedStyle(document.documentElement);
    const of = (name) => style.getPropertyValue(name).trim();
    const look = {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", "font.color": of("--ink"),
      "hoverlabel.bgcolor": of("--raised"), "hoverlabel.bordercolor": of("--line"), "hoverlabel.font.color": of("--ink"),
      "modebar.bgcolor": "rgba(0,0,0,0)", "modebar.color": of("--faint"), "modebar.activecolor": of("--accent"),
    };
    for (const axis of Object.keys(figure._fullLayout).filter((key) => /^[xy]axis\d*$/.test(key))) {
      look[`${axis}.gridcolor`] = look[`${axis}.zerolinecolor`] = look[`${axis}.linecolor`] = of("--line");
    }
    return Plotly.relayout(figure, look);
  }

  for (const figure of figures) {
    const { data, layout } = JSON.parse(document.getElementById(`${figure.id}-data`).textContent);
    const family = getComputedStyle(document.body).fontFamily;
    const usual = {
      font: { family, size: 13 }, hoverlabel: { font: { family, size: 13 }, align: "left" }, hovermode: "closest",
      margin: { l: 56, r: 48, t: 40, b: 48 }, modebar: { orientation: "v" },
    };
    if (layout.height) figure.style.height = `${layout.height}px`;
    Plotly.newPlot(figure, data, { ...usual, ...layout }, CONFIG).then(() => {
      figure.places = places(figure);
      figure.on("plotly_click", ({ points }) => {
        if (points[0].customdata > 0) toggle(String(points[0].customdata));
      });
      return dress(figure);
    }).then(() => { figure.dataset.ready = "yes"; });
  }
  const dressAll = () => figures.filter((figure) => figure.dataset.ready).forEach(dress);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", dressAll);
  addEventListener("beforeprint", dressAll);
  addEventListener("afterprint", dressAll);

  document.addEventListener("click", (event) => {
    const element = event.target.closest("[data-sound]");
    if (element) toggle(element.dataset.sound);
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stop(); });
  audio.addEventListener("ended", stop);
})();
