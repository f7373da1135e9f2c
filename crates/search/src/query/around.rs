//! Words around conditions: what may stand before and behind them, and what says that something else is asked for.

use std::collections::HashSet;
use std::sync::LazyLock;

/// Words that a question's words are looked up in, split once.
pub(super) type WordList = LazyLock<HashSet<&'static str>>;

fn split(words: &'static str) -> HashSet<&'static str> {
    words.split_ascii_whitespace().collect()
}

/// Whether a word stands in a list.
pub(super) fn is(list: &WordList, word: &str) -> bool {
    list.contains(word)
}

/// Whether a word is one of a few, with spaces between them.
pub(super) fn among(few: &str, word: &str) -> bool {
    few.split_ascii_whitespace().any(|w| w == word)
}

/// What a thing is, before how it is.
pub(super) static COPULAS: WordList = WordList::new(|| {
    split(
        "is are was were be been being isn't aren't wasn't weren't 's 're got gets getting become became looks look seems seem \
                       went goes go gone stays stay remains remain has have had hasn't haven't keeps keep kept did does do didn't doesn't \
                       could can't cannot won't",
    )
});
/// What may stand between the two.
pub(super) static ADVERBS: WordList = WordList::new(|| {
    split(
        "not still currently now right fully all really actually always never constantly even already stuck just once ever \
                       any no longer in a an the again currently temporarily permanently completely partially partly also both recently \
                       ok often frequently repeatedly randomly suddenly yet only since neither nor",
    )
});
/// Those that belong to what follows.
pub(super) static STATES: WordList = WordList::new(|| {
    split(
        "stuck in still constantly repeatedly keep keeps being been getting currently permanently temporarily already state",
    )
});
/// Words before an adjective that stands before what it is about: "any failed jobs".
pub(super) static DETERMINERS: WordList = WordList::new(|| {
    split(
        "any all the which what some many every each our my your their those these no only other several few show list \
                           give get find see me us count number of have has got there are is display print and or with currently how \
                           check most fetch see namespaces",
    )
});
/// Nouns for what a condition is about. They do not ask for it by themselves.
pub(super) static NOUNS: WordList = WordList::new(|| {
    split(
        "image images container tag version versions replicas replica count number of capacity storage size volume kubelet which what \
                     abbild abbilder imagen imágenes imagem versionen versión versiones versão versões réplicas répliques kapazität \
                     capacité capacidad capacidade taille tamaño tamanho replikate replikas",
    )
});
/// Verbs between a thing and its image.
pub(super) static RUNS: WordList = WordList::new(|| split("run runs running use uses using does do"));
/// Words before what something has: "with an external IP".
pub(super) static BEARS: WordList = WordList::new(|| {
    split("have has with without an any which what no get got gets having the their its via through a")
});
/// What stands for the things asked for.
pub(super) static THINGS: WordList = WordList::new(|| {
    split(
        "pod pods thing things one ones workload workloads container containers resource resources object objects app apps \
                      service services job jobs stuff replica replicas instance instances node nodes item items component components \
                      deployment deployments statefulset statefulsets daemonset daemonsets cronjob cronjobs pvc pvcs claim claims volume \
                      volumes release releases run runs task tasks anything something cluster clusters database databases backup backups \
                      everything machine machines status state",
    )
});
/// Words that say that something else is asked for, by what it does about it: "alerts on failing pods".
pub(super) static ABOUT: WordList = WordList::new(|| {
    split("for on about against when if whenever once upon after before whether to by unless until toward towards")
});
/// Verbs of what does something about others.
pub(super) static AGENTS: WordList = WordList::new(|| {
    split(
        "watch monitor notify alert page tell warn collect gather ship forward store keep restart clean delete remove handle \
                      scan check scrape export record aggregate show display render visualise visualize track measure autoscale scale \
                      rotate renew issue limit restrict enforce control manage grant give react listen pick retry recover heal drain \
                      balance resize pull build push sign cache mirror host provide produce send create make schedule guard detect \
                      report inspect analyse analyze view browse query inform wake trigger fix repair replace recycle describe define \
                      own deal take protect secure validate verify tests test prevent ensure sweep prune reap roll update upgrade sync \
                      deploy hand write pick open ingest index parse route move copy back catch log audit archive receive process emit publish draw plot \
                      visualise tidy look call compress encrypt distribute serve kick bump reload expose help let allow offer",
    )
});
/// What asks for such a thing.
pub(super) static WHO: WordList = WordList::new(|| {
    split(
        "what who which whatever something anything someone anyone tool software solution app component thing things operator \
                   controller service that there we place way how where",
    )
});

/// Words that turn a condition into its opposite.
pub(super) static NOT: WordList = WordList::new(|| {
    split(
        "not never no neither nor weder ni nem without lacking isn't aren't wasn't weren't don't doesn't didn't haven't hasn't hadn't can't cannot won't \
                   nicht kein keine keinen ohne pas sans aucun aucune sin ningún ninguna não sem nenhum nenhuma nunca jamais nie",
    )
});
/// What may stand between it and the condition.
pub(super) static BETWEEN: WordList = WordList::new(|| {
    split(
        "fully completely entirely quite all yet currently really actually being in be been to of a an the any already have has had use uses using run running under \
                       with on by status state phase ein eine einen en de la le un una um uma",
    )
});
/// Words between two conditions.
pub(super) static JOINS: WordList = WordList::new(|| {
    split(
        "and or but nor und oder aber noch et ou mais y o u pero ni e mas nem 和 或 或者 still yet also is are which that in",
    )
});
/// Those that say that both are meant.
pub(super) const AND: [&str; 5] = ["and", "und", "et", "y", "e"];
/// Those that set the second against the first.
pub(super) const BUT: [&str; 5] = ["but", "aber", "mais", "pero", "mas"];
/// Those that say that one of the two is enough.
pub(super) static OR: WordList = WordList::new(|| split("or oder ou o u 或 或者"));
/// Words before a version, and those that compare it with others.
pub(super) static VERSIONS: WordList = WordList::new(|| {
    split("version versions kubernetes k8s kubelet kubelets on at run runs running use using with of than")
});
pub(super) static COMPARED: WordList = WordList::new(|| {
    split("least most older newer below above before under less greater than since earlier later behind")
});
/// Verbs that begin a question for yes or no, and words for all of something.
pub(super) static COPULAS_FOREIGN: WordList =
    WordList::new(|| split("ist sind läuft laufen haben est sont está están estão são funcionan funcionam"));
pub(super) static ALL: WordList = WordList::new(|| {
    split(
        "all every everything each everyone alle alles jede jeder jedes tous toutes tout toute todos todas todo toda tudo",
    )
});
pub(super) static REPLICAS: WordList =
    WordList::new(|| split("replicas replica réplicas réplica répliques replikate replikas replikat"));
/// Words around a size.
pub(super) static SIZES: WordList = WordList::new(|| {
    split("capacity size storage big large of with kapazität capacité capacidad capacidade größe taille tamaño tamanho")
});

/// Parts of words that do the same in Chinese.
pub(super) const NOT_CHINESE: [&str; 6] = ["没有", "尚未", "未", "没", "不是", "不"];

/// The same in other languages: what asks for a place or a tool.
pub(super) static FOREIGN: WordList = WordList::new(|| {
    split(
        "gestiona gestionan gère gèrent gerencia gerenciam verwaltet verwalten kümmert überwacht überwachen monitoriza monitora \
                       supervisa surveille surveillent alerta avisa notifica meldet benachrichtigt sammelt prüft verifica vérifie wo wohin dónde donde adónde où onde aonde outil outils logiciel werkzeug tool programm software herramienta \
                       herramientas ferramenta ferramentas",
    )
});

/// The same in Chinese.
pub(super) const TOOLS: [&str; 13] =
    ["服务", "应用", "组件", "程序", "工具", "系统", "软件", "收集", "采集", "平台", "哪里", "监控", "存储"];
